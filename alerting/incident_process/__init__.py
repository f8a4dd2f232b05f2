"""The incident process: one pass after the other."""
