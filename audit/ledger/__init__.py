"""The ledger as a Merkle tree with signed checkpoints, and what an auditor checks in it."""
