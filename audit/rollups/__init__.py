"""Figures of records by hour and day, and the deletion of what is old."""
