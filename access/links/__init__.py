"""Links in messages to persons: a link is a session for one incident and one contact."""
