"""Events from the database to open pages."""
