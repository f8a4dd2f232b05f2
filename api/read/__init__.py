"""Reads that pages and routes share: each takes the connection of a snapshot."""
