"""The seal of the ledger that is late, and its incident."""
