"""One simulated terminal: what it decides, without the connection that carries it out. Pure."""
