"""The ledger for auditors: its checkpoint, entries with proofs, and an export."""
