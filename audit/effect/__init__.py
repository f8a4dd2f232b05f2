"""Effect: how much the stations are used, how many terminals work, and which content they hold."""
