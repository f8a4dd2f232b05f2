"""Figures of records by hour and day, and the deletion of old records and figures."""
