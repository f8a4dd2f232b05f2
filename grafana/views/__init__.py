"""The dashboards, each with its SQL file beside it: `python -m grafana.views` writes all files."""
