"""Running Milepost: settings, command line, the one-machine stack, the demo."""

__version__ = "0.1.0"
