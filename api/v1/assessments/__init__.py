"""Routes about assessments."""
