"""Uptime over HTTP and on its page."""
