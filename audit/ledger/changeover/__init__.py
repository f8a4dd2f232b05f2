"""Another key of the same log, or another log: what two persons agree to."""
