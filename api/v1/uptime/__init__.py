"""Routes about uptime."""
