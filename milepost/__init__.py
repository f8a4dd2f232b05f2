"""How it all runs: settings, command line, the one-machine stack, the demo."""
