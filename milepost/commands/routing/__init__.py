"""Commands about duties and routes."""
