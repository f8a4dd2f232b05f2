"""Routes about work and answers."""
