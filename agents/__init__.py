"""Who sends: the terminal agent, its collectors and outbox."""

VERSION = "0.1.0"
"""What the agent reports of itself; a test holds it to the distribution's version."""
