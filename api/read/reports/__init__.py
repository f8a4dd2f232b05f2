"""Reports of the kept figures, within the scope of a snapshot."""
