"""Silences: intervals in which nobody is told of incidents of a station, an area or a kind."""
