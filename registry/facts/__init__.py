"""What the registry said at a moment, as it was known at a cut."""
