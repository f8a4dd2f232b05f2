"""The streams that judges wrote, in one order, and when the platform itself is blind."""
