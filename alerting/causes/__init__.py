"""Incidents that stations have in common, and stations that flap."""
