"""The proof of one station's sheet: the figures of its days are in the log of a signed checkpoint."""
