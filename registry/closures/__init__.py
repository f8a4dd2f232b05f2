"""Closures: what excuses a station from being open."""
