"""Who sends: the terminal agent, its collectors and outbox."""
