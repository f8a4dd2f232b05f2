"""The one-machine stack: servers, services, their settings, and what keeps them in order."""
