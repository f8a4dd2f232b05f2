"""Assessments of an area and the places below it, for a month or a year, by rules in a file."""
