"""The work of a person, and how fast people answer incidents."""
