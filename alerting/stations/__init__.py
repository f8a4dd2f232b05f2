"""How every station stands: its verdict, its openings and closures."""
