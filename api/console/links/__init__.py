"""The page behind the link in a message to a person."""
