"""Work and answers."""
