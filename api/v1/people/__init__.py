"""Routes of accounts, tokens and of who asks."""
