"""Incidents of single stations and terminals."""
