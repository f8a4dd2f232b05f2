"""Incidents as rows: the book of a pass, the store, and the actions of people."""
