"""Duty: who is responsible for a role in an area, when, and who stands in."""
