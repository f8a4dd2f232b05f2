"""Health rules over the records of terminals."""
