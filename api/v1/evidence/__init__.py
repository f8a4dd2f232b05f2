"""Routes of evidence."""
