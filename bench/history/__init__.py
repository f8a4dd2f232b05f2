"""Measurements of what is kept: days, records on disk, and the ledger."""
