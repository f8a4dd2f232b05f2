"""Blind spots: areas and stations without working service."""
