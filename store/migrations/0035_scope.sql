-- What a connection of the API may see: the setting `milepost.scope` of its transaction, which access/scope.py writes. `*` is
-- the whole; codes of areas with commas are these areas with all below them; missing, empty or of another form is nothing.
-- store/scoped.sql has the policies and views that ask these functions.

CREATE FUNCTION scope_is_whole() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(current_setting('milepost.scope', true) = '*', false);

-- The codes that the setting names, whether there are such areas or not.
CREATE FUNCTION scope_codes() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN current_setting('milepost.scope', true) ~ '^[0-9A-Za-z]{1,32}(,[0-9A-Za-z]{1,32})*$'
            THEN string_to_array(current_setting('milepost.scope', true), ',') ELSE '{}' END;

-- The functions below run with the rights of their owner, because the policy of `area` asks them, and because the index on
-- `path` cannot be used below a policy: the operator && could show what a policy hides, so PostgreSQL asks the policy first.

-- The areas in the scope; none for the whole, of which scope_is_whole() has to be asked first.
CREATE FUNCTION scope_areas() RETURNS SETOF text LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100 AS $$
    SELECT code FROM area WHERE path && scope_codes()
$$;

-- The areas whose names are shown: those in the scope and those above it.
CREATE FUNCTION scope_names() RETURNS SETOF text LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100 AS $$
    SELECT code FROM area WHERE path && scope_codes()
    UNION SELECT unnest(path) FROM area WHERE code = ANY (scope_codes())
$$;

-- The areas in the scope that lie in no other area of it: the roots of the tree for the whole.
CREATE FUNCTION scope_tops() RETURNS SETOF text LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 10 AS $$
    SELECT code FROM area WHERE parent IS NULL AND scope_is_whole()
    UNION ALL
    SELECT code FROM area WHERE code = ANY (scope_codes()) AND NOT path[:cardinality(path) - 1] && scope_codes()
$$;

-- The areas that are in the scope and are one of `wanted` or lie below one.
CREATE FUNCTION areas_below(wanted text[]) RETURNS SETOF text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100 AS $$
    SELECT code FROM area WHERE path && wanted AND (scope_is_whole() OR path && scope_codes())
$$;

-- The programmes of the stations in the scope.
CREATE FUNCTION scope_programmes() RETURNS SETOF text LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 10 AS $$
    SELECT DISTINCT p.programme FROM station s JOIN station_programme p ON p.station = s.id
    WHERE s.area IN (SELECT code FROM area WHERE path && scope_codes())
$$;

-- Whether all areas of an account are in the scope.
CREATE FUNCTION scope_holds_account(wanted text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER AS $$
    SELECT NOT EXISTS (SELECT FROM account_area x JOIN area a ON a.code = x.area
                       WHERE x.account = wanted AND NOT a.path && scope_codes())
$$;

-- No table of the caller's own may stand in for one of these; and no role but the API's needs them.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['scope_areas()', 'scope_names()', 'scope_tops()', 'areas_below(text[])', 'scope_programmes()',
                            'scope_holds_account(text)'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', name);
    END LOOP;
END $$;

-- Incidents are visible where their station is now, so those that are over move with it. Those that go on are moved by the
-- incident process, which writes it into their history; an import must not hold the rows that the process writes.
CREATE FUNCTION station_moved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    UPDATE incident SET area = NEW.area WHERE station = NEW.id AND area IS DISTINCT FROM NEW.area
        AND status = 'closed' AND reopen_at IS NULL;
    RETURN NULL;
END $$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION station_moved() SET search_path = %I, pg_temp', current_schema());
END $$;
-- On a table of the caller's own it would move any incident.
REVOKE EXECUTE ON FUNCTION station_moved() FROM PUBLIC;
CREATE TRIGGER station_moved AFTER UPDATE OF area ON station
    FOR EACH ROW WHEN (OLD.area IS DISTINCT FROM NEW.area) EXECUTE FUNCTION station_moved();
UPDATE incident i SET area = s.area FROM station s WHERE s.id = i.station AND i.area IS DISTINCT FROM s.area
    AND i.status = 'closed' AND i.reopen_at IS NULL;

-- Dashboards see the whole, as before, where rows have policies.
CREATE OR REPLACE FUNCTION grant_reader() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_reader') THEN
        RETURN false;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO milepost_reader', current_schema());
    GRANT SELECT ON area, station, station_verdict, clock_trust, station_state, terminal_state, transition,
                    pipeline_gap, incident, health, usage, closure, calendar_opening, area_count,
                    area_count_known, suspicion, suspicion_member TO milepost_reader;
    FOR found IN
        SELECT c.oid::regclass AS name FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relrowsecurity
          AND has_table_privilege('milepost_reader', c.oid, 'SELECT')
          AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'reader')
    LOOP
        EXECUTE format('CREATE POLICY reader ON %s FOR SELECT TO milepost_reader USING (true)', found.name);
    END LOOP;
    RETURN true;
END $$;

-- As before, for the API alone: the areas of closures are found by their index.
CREATE OR REPLACE FUNCTION stations_now(
    sound int[], partly int[], shards text[], shut bigint[], stations text[], areas text[], programmes text[]
) RETURNS TABLE (id text, area text, lat float8, lon float8, lifecycle text, state text, verdict text)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT s.id, s.area, s.lat, s.lon, s.lifecycle, st.state,
           verdict_by(verdict_reason(
               s.lifecycle, st.state,
               CASE WHEN st.partition = ANY (sound) OR (st.partition, coalesce(st.shard, (
                        SELECT t.shard FROM terminal_state t WHERE t.station = st.station
                        ORDER BY t.seen_at DESC NULLS LAST, t.terminal LIMIT 1)))
                        IN (SELECT * FROM unnest(partly, shards)) THEN NULL ELSE 'clock_missing' END,
               hours.calendar IS NOT NULL,
               excuse.station IS NOT NULL OR s.area IN (SELECT code FROM areas_below(areas) AS code)),
               st.state, st.usable)
    FROM station s LEFT JOIN station_stand st ON st.station = s.id
    LEFT JOIN unnest(shut) AS hours (calendar) ON hours.calendar = s.calendar
    LEFT JOIN (SELECT unnest(stations) AS station
               UNION SELECT sp.station FROM station_programme sp WHERE sp.programme = ANY (programmes)) AS excuse
           ON excuse.station = s.id
$$;
