"""Closures and maintenance windows of stations."""
