"""Measurements: each module prints a table; run them with `make bench`."""
