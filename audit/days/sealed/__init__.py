"""Kept days in the ledger: one leaf for each area and day, over the stations of the area."""
