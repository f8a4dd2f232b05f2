"""Who draws: dashboards as code, their provisioning, and what brings them into a Grafana that runs elsewhere."""
