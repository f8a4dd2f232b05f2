"""Repairs: what people say was wrong and was done about an incident, and whether it held."""
