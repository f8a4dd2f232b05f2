"""Pages about work and answers."""
