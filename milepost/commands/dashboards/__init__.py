"""Commands about dashboards."""
