"""Pages about uptime."""
