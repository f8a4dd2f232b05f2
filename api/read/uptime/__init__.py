"""Figures of uptime of stations and areas, from the kept days."""
