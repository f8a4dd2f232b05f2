"""`make demo`: a small world that fails and recovers before your eyes."""
