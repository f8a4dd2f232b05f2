"""The outbox: what waits on the terminal's disk until the server has it."""
