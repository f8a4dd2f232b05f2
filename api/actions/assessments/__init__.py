"""What both pages and routes change of assessments."""
