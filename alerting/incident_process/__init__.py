"""The incident process: decides in passes, one after the other."""
