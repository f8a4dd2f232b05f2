"""The inputs of assessments, read within the scope of a snapshot."""
