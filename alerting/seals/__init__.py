"""The incident of a late seal of the ledger."""
