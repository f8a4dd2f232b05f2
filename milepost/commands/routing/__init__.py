"""Commands about who is on duty and who is told."""
