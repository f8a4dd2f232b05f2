-- What a login of dashboards sees that is held to some areas: the schema `dashboards` has a view for each table that dashboards of
-- an area read, with the name of that table. Run after the migrations and store/scoped.sql, when one of them ran or this file
-- changed.
--
-- A person at a dashboard can send any SQL as the login of its data source. So the login has a right on these views alone, and its
-- areas follow from `session_user`, which no SQL of its own can change: a setting could be set, and `current_user` is that of the
-- owner within functions that run with the rights of their owner.

DROP SCHEMA IF EXISTS dashboards CASCADE;
CREATE SCHEMA dashboards;

-- The areas of the login with all below them; nothing for another login.
CREATE FUNCTION dashboards.areas() RETURNS SETOF text LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100 AS $$
    SELECT code FROM area WHERE path && (SELECT areas FROM dashboard_login WHERE login = session_user)
$$;

-- The areas of the login alone: what lies below one has it in its path.
CREATE FUNCTION dashboards.tops() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER AS $$
    SELECT areas FROM dashboard_login WHERE login = session_user
$$;

-- The areas of the login, all below them and those above, of which only the names are shown.
CREATE FUNCTION dashboards.names() RETURNS SETOF text LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100 AS $$
    SELECT code FROM area WHERE path && (SELECT areas FROM dashboard_login WHERE login = session_user)
    UNION SELECT unnest(path) FROM area WHERE code = ANY ((SELECT areas FROM dashboard_login WHERE login = session_user)::text[])
$$;

CREATE FUNCTION dashboards.stations() RETURNS SETOF text LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 1000 AS $$
    SELECT s.id FROM station s WHERE s.area IN (
        SELECT code FROM area WHERE path && (SELECT areas FROM dashboard_login WHERE login = session_user))
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['areas', 'tops', 'names', 'stations'] LOOP
        EXECUTE format('ALTER FUNCTION dashboards.%I() SET search_path = %I, pg_temp', name, current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION dashboards.%I() FROM PUBLIC', name);
    END LOOP;
END $$;

DO $$
DECLARE
    of_area constant text := 't.area IN (SELECT code FROM dashboards.areas() AS code)';
    -- As an array, because the planner expects few rows of these views and would compare each row with each area.
    by_area constant text := 't.area = ANY (ARRAY(SELECT code FROM dashboards.areas() AS code))';
    of_station constant text := 't.station IN (SELECT id FROM dashboards.stations() AS id)';
    of_incident constant text := 't.incident IN (SELECT i.id FROM incident i WHERE '
        'i.area = ANY (ARRAY(SELECT code FROM dashboards.areas() AS code)))';
    of_path constant text := 't.path && (SELECT dashboards.tops())';
    found record;
BEGIN
    FOR found IN SELECT * FROM (VALUES
        -- (table, columns, which rows)
        ('area', 'code, name, name_en, parent, level, path', 't.code IN (SELECT code FROM dashboards.names() AS code)'),
        ('station', 'id, name, name_en, kind, area, lat, lon, lifecycle, in_service_at, calendar', of_area),
        -- By their numbers: which calendars are open now.
        ('calendar_now', 'calendar, open', 'true'),
        ('station_verdict', '*', of_area),
        ('terminal', '*', of_station),
        ('terminal_facts', 'station, terminal, agent, first_at', of_station),
        ('inventory', 'ts, station, terminal, model, os, agent', of_station),
        ('station_programme', '*', of_station),
        ('programme', '*', 't.id IN (SELECT programme FROM dashboards.station_programme)'),
        ('station_state', 'station, partition, state, since, usable, shard', of_station),
        ('terminal_state', 'station, terminal, partition, shard, state, since, seen_at, usable', of_station),
        ('transition', '*', of_station),
        ('pipeline_gap', '*', 'true'),
        ('area_count', '*', of_area),
        -- Whether these counts can be read: no more than that something is in doubt or set aside anywhere.
        ('area_count_known', '*', 'true'),
        ('clock_trust', 'partition, shard, doubt', 'true'),
        ('set_aside', 'service, kind', 'true'),
        ('suspicion_member', '*', of_station),
        ('health', '*', of_station),
        ('health_state', '*', of_station),
        ('usage_hour', '*', of_station),
        ('usage_day', '*', of_station),
        ('usage_month', '*', of_station),
        ('usage_area_day', '*', of_area),
        -- A wider incident is not seen: it tells of other areas. Its parts are, as if they had no parent.
        ('incident', 'id, kind, station, area, shard, status, began_at, opened_at, acknowledged_at, acknowledged_by, '
                     'acknowledged_remark, first_acknowledged_at, eta_at, assignee, closed_at, ended_at, detail, '
                     '(SELECT p.id FROM incident p WHERE p.id = t.parent AND p.area IN (SELECT code FROM dashboards.areas() '
                     'AS code)) AS parent', by_area),
        ('repair', 'id, incident, at, made_by, remark, cause, outcome, outcome_at', of_incident),
        ('escalation', 'incident, state, wake_at, over_at', of_incident),
        ('incident_share', 'incident, area, children, down', of_incident || ' AND ' || of_area),
        ('incident_share_ack', 'incident, area, eta_at', of_incident || ' AND ' || of_area),
        ('page', 'id, incident, phase, step, round, severity, created_at, status', of_incident),
        ('message', 'id, kind, severity, status, created_at, settled_at',
                    't.contact IN (SELECT c.id FROM contact c WHERE c.area IN (SELECT code FROM dashboards.areas() AS code))'),
        ('channel_state', 'contact, channel, dead_at, reason',
                          't.contact IN (SELECT c.id FROM contact c WHERE c.area IN (SELECT code FROM dashboards.areas() AS code))'),
        ('day_figure', '*', of_path),
        ('day_member', '*', of_path),
        ('share_day', '*', 'true'),
        ('area_day', '*', of_path),
        ('area_month', '*', of_path),
        ('month_frozen', '*', 'true'),
        ('day_state', '*', 'true'),
        ('ledger_checkpoint', '*', 'true'),
        ('service_sign', 'service, at, detail', 't.service = ''api''')
        ) AS t (name, columns, seen)
    LOOP
        EXECUTE format('CREATE VIEW dashboards.%I WITH (security_barrier) AS SELECT %s FROM %I t WHERE %s',
                       found.name, found.columns, found.name, found.seen);
    END LOOP;
END $$;

-- To a login the topmost areas are those of its own that lie in no other of its own. Of an area above them it sees the sum of these,
-- which is its part of that area.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT * FROM (VALUES ('area_day_sum', 'day'), ('area_month_sum', 'month')) AS t (name, moment) LOOP
        EXECUTE format($q$
            CREATE VIEW dashboards.%1$I WITH (security_barrier) AS
            SELECT t.%2$I, t.area, t.parent, NOT coalesce(t.path[1:cardinality(t.path) - 1] && (SELECT dashboards.tops()), false) AS is_top,
                   t.scheduled_ms, t.excused_ms, t.unknown_ms, t.online_ms, t.service_due_ms, t.usable_ms
            FROM %1$I t WHERE t.path && (SELECT dashboards.tops())
            UNION ALL
            SELECT t.%2$I, t.path[depth], t.path[depth - 1], false,
                   t.scheduled_ms, t.excused_ms, t.unknown_ms, t.online_ms, t.service_due_ms, t.usable_ms
            FROM %1$I t CROSS JOIN LATERAL generate_series(1, cardinality(t.path) - 1) AS depth
            WHERE t.area = ANY (ARRAY(SELECT unnest(dashboards.tops())))
              AND NOT t.path[1:cardinality(t.path) - 1] && (SELECT dashboards.tops())
        $q$, found.name, found.moment);
    END LOOP;
END $$;

-- Views with the rights of the caller would ask for rights at the tables, so they are made anew over the views of this schema.
DO $$
DECLARE
    own constant text := current_schema();
    name text;
    definition text;
BEGIN
    FOREACH name IN ARRAY ARRAY['station_day', 'station_day_revision'] LOOP
        definition := pg_get_viewdef(name::regclass);
        PERFORM set_config('search_path', format('dashboards, %I', own), true);
        EXECUTE format('CREATE VIEW dashboards.%I AS %s', name, definition);
        PERFORM set_config('search_path', quote_ident(own), true);
    END LOOP;
END $$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_area_reader') THEN
        GRANT USAGE ON SCHEMA dashboards TO milepost_area_reader;
        GRANT SELECT ON ALL TABLES IN SCHEMA dashboards TO milepost_area_reader;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA dashboards TO milepost_area_reader;
    END IF;
END $$;
