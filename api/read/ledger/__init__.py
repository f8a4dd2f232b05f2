"""What the API reads of the ledger: entries within the scope, their proofs, and pieces of an export."""
