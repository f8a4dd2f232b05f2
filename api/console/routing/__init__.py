"""Pages about who is told."""
