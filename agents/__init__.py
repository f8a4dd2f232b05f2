"""The terminal agent with its collectors and outbox, and the fleet simulator."""

VERSION = "0.1.0"
"""The version that the agent reports; a test compares it with the version of the distribution."""
