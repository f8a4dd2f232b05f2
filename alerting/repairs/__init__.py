"""Repairs: the causes and repairs that people report for an incident, and whether the repairs held."""
