"""Routes of the API about who is told."""
