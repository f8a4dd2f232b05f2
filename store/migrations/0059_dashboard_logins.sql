-- The logins of dashboards that see some areas and all below them, and nothing else (store/dashboards.sql). `milepost grafana sync
-- --area` makes them.
CREATE TABLE dashboard_login (
    login   text PRIMARY KEY,
    areas   text[] NOT NULL CHECK (cardinality(areas) > 0),
    made_at timestamptz NOT NULL DEFAULT now()
);
