"""The history of a station."""
