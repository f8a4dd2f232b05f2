"""Health rules over what terminals record."""
