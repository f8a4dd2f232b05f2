"""Incidents of single stations, and of the identity of single terminals."""
