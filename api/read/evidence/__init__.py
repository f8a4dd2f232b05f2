"""What the API and the pages show of evidence."""
