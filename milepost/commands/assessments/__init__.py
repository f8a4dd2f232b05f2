"""The command about assessments."""
