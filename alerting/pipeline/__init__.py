"""The judges' streams of transitions in one order, and incidents of the platform itself."""
