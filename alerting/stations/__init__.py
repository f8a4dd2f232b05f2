"""How every station stands: its state, opening hours, closures and verdict."""
