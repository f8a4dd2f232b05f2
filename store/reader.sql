-- What the dashboards of Grafana read with the login milepost_reader. The role sees the whole: no addresses of people, no secrets, no
-- texts of messages. Run after the migrations, when one of them ran or this file changed. Where an administrator makes the role later,
-- the owner of the tables runs `SELECT grant_reader()`.
CREATE OR REPLACE FUNCTION grant_reader() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    -- Each with the columns that are read; NULL: all.
    readable constant jsonb := '{
        "area": null, "station": null, "station_verdict": null, "clock_trust": null, "station_state": null,
        "terminal_state": null, "transition": null, "pipeline_gap": null, "incident": null, "health": null, "usage": null,
        "closure": null, "calendar_opening": null, "calendar_now": null, "area_count": null, "area_count_known": null, "suspicion": null,
        "suspicion_member": null, "programme": null, "station_programme": null, "terminal": null, "terminal_facts": null,
        "inventory": null, "health_state": null, "health_hour": null, "health_day": null, "usage_hour": null, "usage_day": null,
        "usage_month": null, "usage_area_day": null,
        "area_day": null, "area_month": null, "area_day_sum": null, "area_month_sum": null, "month_frozen": null, "day_figure": null, "day_member": null, "day_share": null,
        "share_day": null, "station_day": null, "station_day_revision": null, "day_state": null,
        "consumer_offset": null, "log_end": null, "set_aside": null, "ledger_checkpoint": null, "service_sign": null,
        "incident_share": "incident, area, children, down", "incident_share_ack": "incident, area, eta_at",
        "repair": "id, incident, at, made_by, remark, cause, outcome, outcome_at",
        "channel_state": "contact, channel, dead_at, reason",
        "delivery": "id, notification, status, attempts, next_attempt_at, sent_at",
        "page": "id, incident, phase, step, round, severity, created_at, status",
        "escalation": "incident, state, wake_at, over_at",
        "message": "id, kind, severity, status, created_at, settled_at",
        "dead_letter": "id, source, at, topic, station, reason, size, refused, shard"}';
    found record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_reader') THEN
        RETURN false;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO milepost_reader', current_schema());
    -- TimescaleDB adds tables of its own to a statement about one of its tables, so no plan may keep the statement.
    FOR found IN SELECT key AS name, value AS columns FROM jsonb_each_text(readable) LOOP
        EXECUTE format('GRANT SELECT %s ON %I TO milepost_reader', coalesce('(' || found.columns || ')', ''), found.name);
    END LOOP;
    FOR found IN
        SELECT c.oid::regclass AS name FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relrowsecurity
          AND has_any_column_privilege('milepost_reader', c.oid, 'SELECT')
          AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'reader')
    LOOP
        EXECUTE format('CREATE POLICY reader ON %s FOR SELECT TO milepost_reader USING (true)', found.name);
    END LOOP;
    RETURN true;
END $$;
SELECT grant_reader();
