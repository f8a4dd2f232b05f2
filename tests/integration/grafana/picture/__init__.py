"""Pictures of the dashboards without a Grafana: `python -m tests.integration.grafana.picture FOLDER`.

Each panel's query runs on the filled database of the tests, and its rows are drawn with the panel's own titles, units,
mappings, thresholds, colours and overrides, by the rules that Grafana documents. A person looks at them.
"""
