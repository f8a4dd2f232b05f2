"""What is kept: the history of a station."""
