-- Sums of use for dashboards: a country of 100,000 stations has three million rows of `usage_day` in a month, and a panel has 300 ms.
-- They are made where the figures of days are made, from these figures, so that no order of records changes them.

-- A station in a month (UTC).
CREATE TABLE usage_month (
    month    date NOT NULL,
    station  text NOT NULL,
    -- Bit n - 1: the station has use on day n.
    days     integer NOT NULL,
    -- Element n: the sessions of the days 1 to n, so that those of some days are a difference. 31 elements.
    sessions bigint[] NOT NULL,
    PRIMARY KEY (month, station)
) WITH (fillfactor = 80);

-- The stations that are in an area now, without those below it; '': those in no area. A station that moves takes its use with it.
CREATE TABLE usage_area_day (
    day      date NOT NULL,
    area     text NOT NULL,
    sessions numeric NOT NULL,
    minutes  numeric NOT NULL,
    bytes    numeric NOT NULL,
    PRIMARY KEY (day, area)
);
CREATE INDEX usage_area_day_area ON usage_area_day (area);

-- Sums that are to be made again: those of a day, or those of an area on all days, because a station came or left.
CREATE TABLE usage_due (
    day  date,
    area text,
    CHECK (num_nonnulls(day, area) = 1)
);

-- The sums with another value of a day. Mostly there is no use on later days yet; then only the end is new.
CREATE FUNCTION usage_with_day(sessions bigint[], place integer, value bigint) RETURNS bigint[] LANGUAGE sql IMMUTABLE
RETURN CASE WHEN sessions[31] = sessions[place]
            THEN sessions[1:place - 1] || array_fill(coalesce(sessions[place - 1], 0) + value, ARRAY[32 - place])
            ELSE (
    SELECT array_agg(CASE WHEN n < place THEN c ELSE c + value - (sessions[place] - coalesce(sessions[place - 1], 0)) END ORDER BY n)
    FROM unnest(sessions) WITH ORDINALITY AS t (c, n)) END;

-- Make the sums of a day of some stations; NULL: of all. Statements are planned at each call, because the two differ.
CREATE FUNCTION sum_usage_day(of_day date, stations text[]) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    began constant timestamptz := of_day::timestamp AT TIME ZONE 'UTC';
    of_month constant date := date_trunc('month', of_day::timestamp)::date;
    place constant integer := extract(day FROM of_day);
    bit constant integer := 1 << (place - 1);
    areas text[];
BEGIN
    IF EXISTS (SELECT FROM record_kept k WHERE k.kind = 'usage_day' AND k.since > began) THEN
        RETURN;
    END IF;
    EXECUTE $q$
        WITH used AS MATERIALIZED (
            SELECT station, least(coalesce(sum(sessions), 0), 1e12)::bigint AS sessions FROM usage_day
            WHERE began_at = $1 AND ($2 IS NULL OR station = ANY ($2)) GROUP BY station
        ), changed AS (
            UPDATE usage_month m SET days = m.days | $4, sessions = usage_with_day(m.sessions, $3, u.sessions)
            FROM used u
            WHERE m.month = $5 AND m.station = u.station
              AND (m.days & $4 = 0 OR m.sessions[$3] - coalesce(m.sessions[$3 - 1], 0) <> u.sessions)
        ), gone AS (
            UPDATE usage_month m SET days = m.days & ~$4, sessions = usage_with_day(m.sessions, $3, 0)
            WHERE m.month = $5 AND m.days & $4 <> 0 AND ($2 IS NULL OR m.station = ANY ($2))
              AND m.station NOT IN (SELECT station FROM used)
        )
        INSERT INTO usage_month (month, station, days, sessions)
        SELECT $5, station, $4, usage_with_day(array_fill(0::bigint, ARRAY[31]), $3, u.sessions) FROM used u
        WHERE station NOT IN (SELECT m.station FROM usage_month m WHERE m.month = $5 AND ($2 IS NULL OR m.station = ANY ($2)))
    $q$ USING began, stations, place, bit, of_month;
    IF stations IS NULL THEN
        DELETE FROM usage_area_day WHERE day = of_day;
        EXECUTE $q$
            INSERT INTO usage_area_day (day, area, sessions, minutes, bytes)
            SELECT $2, coalesce(s.area, ''), coalesce(sum(u.sessions), 0), coalesce(sum(u.minutes), 0), coalesce(sum(u.bytes), 0)
            FROM usage_day u JOIN station s ON s.id = u.station WHERE u.began_at = $1 GROUP BY 2
        $q$ USING began, of_day;
    ELSE
        areas := ARRAY(SELECT DISTINCT coalesce(s.area, '') FROM station s WHERE s.id = ANY (stations));
        DELETE FROM usage_area_day WHERE day = of_day AND area = ANY (areas);
        EXECUTE $q$
            INSERT INTO usage_area_day (day, area, sessions, minutes, bytes)
            SELECT $2, coalesce(s.area, ''), coalesce(sum(u.sessions), 0), coalesce(sum(u.minutes), 0), coalesce(sum(u.bytes), 0)
            FROM station s JOIN usage_day u ON u.station = s.id AND u.began_at = $1
            WHERE s.area = ANY ($3) OR s.area IS NULL AND '' = ANY ($3) GROUP BY 2
        $q$ USING began, of_day, areas;
    END IF;
END $$;

-- Make the sums of an area on all days.
CREATE FUNCTION sum_usage_area(of_area text) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM usage_area_day WHERE area = of_area;
    EXECUTE $q$
        INSERT INTO usage_area_day (day, area, sessions, minutes, bytes)
        SELECT (u.began_at AT TIME ZONE 'UTC')::date, $1, coalesce(sum(u.sessions), 0), coalesce(sum(u.minutes), 0),
               coalesce(sum(u.bytes), 0)
        FROM station s JOIN usage_day u ON u.station = s.id
        WHERE (s.area = $1 OR s.area IS NULL AND $1 = '')
          AND u.began_at >= coalesce((SELECT k.since FROM record_kept k WHERE k.kind = 'usage_day'), '-infinity')
        GROUP BY 1
    $q$ USING of_area;
END $$;

-- Make the sums of the hours that are being worked on: of one day, or of all days.
CREATE FUNCTION sum_usage_taken(only_day timestamptz DEFAULT NULL) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    touched record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('usage_month'));
    FOR touched IN
        SELECT (t.began_at AT TIME ZONE 'UTC')::date AS day,
               CASE WHEN bool_and(t.station IS NOT NULL) THEN array_agg(DISTINCT t.station) END AS stations
        FROM rollup_touch t
        WHERE t.taken AND t.kind = 'usage' AND isfinite(t.began_at)
          AND (only_day IS NULL OR t.began_at >= only_day AND t.began_at < only_day + interval '1 day')
        GROUP BY 1
    LOOP
        PERFORM sum_usage_day(touched.day, touched.stations);
    END LOOP;
END $$;

-- Make sums that are due: of the newest day and of twenty areas, so that a call has an end.
CREATE FUNCTION sum_usage_due() RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    newest date;
    areas text[];
    of_area text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('usage_month'));
    SELECT max(day) INTO newest FROM usage_due;
    IF newest IS NOT NULL THEN
        DELETE FROM usage_due WHERE day = newest;
        PERFORM sum_usage_day(newest, NULL);
    END IF;
    areas := ARRAY(SELECT DISTINCT area FROM usage_due WHERE area IS NOT NULL ORDER BY area LIMIT 20);
    DELETE FROM usage_due WHERE area = ANY (areas);
    FOREACH of_area IN ARRAY areas LOOP
        PERFORM sum_usage_area(of_area);
    END LOOP;
END $$;

-- The sums go with the days; at most `most` rows of each kind; how many went.
CREATE FUNCTION forget_usage_sums(before timestamptz, most integer) RETURNS bigint LANGUAGE sql SET search_path FROM CURRENT AS $$
    WITH months AS (
        DELETE FROM usage_month WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM usage_month WHERE month < (before AT TIME ZONE 'UTC')::date LIMIT most)) RETURNING 1
    ), days AS (
        DELETE FROM usage_area_day WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM usage_area_day WHERE day < (before AT TIME ZONE 'UTC')::date LIMIT most)) RETURNING 1
    )
    SELECT (SELECT count(*) FROM months) + (SELECT count(*) FROM days)
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sum_usage_day(date, text[])', 'sum_usage_area(text)', 'sum_usage_taken(timestamptz)', 'sum_usage_due()',
                                'forget_usage_sums(timestamptz, integer)'] LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', name);
    END LOOP;
END $$;

-- Days of use are deleted by whole months, because a month of a station is one row.
CREATE OR REPLACE FUNCTION forget_records(kind text, before timestamptz, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    day timestamptz := date_trunc('day', before, 'UTC');
    moment constant text := CASE WHEN kind LIKE '%\_%' THEN 'began_at' ELSE 'ts' END;
    lasted timestamptz;
    gone bigint;
BEGIN
    IF kind NOT IN ('health', 'usage', 'inventory', 'presence', 'event', 'health_hour', 'health_day', 'usage_hour', 'usage_day') THEN
        RAISE EXCEPTION 'nothing of the kind % is deleted by age', kind;
    END IF;
    IF day > now() - interval '184 days' OR day IS NULL THEN
        RAISE EXCEPTION 'records of less than 184 days are not deleted: %', day;
    END IF;
    IF kind = 'usage_day' THEN
        day := date_trunc('month', day, 'UTC');
    END IF;
    -- The touches that take_rollup_touches deletes have no figures to wait for.
    day := least(day, (
        SELECT date_trunc('day', min(t.began_at), 'UTC') FROM rollup_touch t
        WHERE forget_records.kind IN (t.kind, t.kind || '_hour')
          AND NOT EXISTS (SELECT FROM record_kept k WHERE k.kind IN (t.kind, t.kind || '_hour') AND t.began_at < k.since)));
    IF kind = 'presence' AND NOT EXISTS (SELECT FROM record_kept k WHERE k.kind = 'presence' AND k.since >= day) THEN
        SELECT least(max(p.until), now()) INTO lasted FROM presence p WHERE p.ts < day;
    END IF;
    INSERT INTO record_kept AS k (kind, since, reached) VALUES (forget_records.kind, day, lasted)
    ON CONFLICT ON CONSTRAINT record_kept_pkey DO UPDATE SET since = excluded.since, reached = greatest(k.reached, excluded.reached)
    WHERE k.since < excluded.since;
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        EXECUTE 'SELECT count(*) FROM drop_chunks($1::regclass, older_than => $2)' INTO gone USING kind, day;
    ELSE
        EXECUTE format('DELETE FROM %I WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$I WHERE %I < $1 LIMIT $2))', kind, moment)
        USING day, most;
        GET DIAGNOSTICS gone = ROW_COUNT;
    END IF;
    RETURN gone + CASE WHEN kind = 'usage_day' THEN forget_usage_sums(day, most) ELSE 0 END;
END $$;

-- No table of the caller's own may stand in for one of these.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION forget_records(text, timestamptz, integer) SET search_path = %I, pg_temp', current_schema());
END $$;

-- A station that comes, moves or goes. The sums follow with the next pass.
CREATE FUNCTION usage_area_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO usage_due (area) SELECT DISTINCT coalesce(area, '') FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO usage_due (area) SELECT DISTINCT coalesce(area, '') FROM old_rows;
    ELSE
        INSERT INTO usage_due (area)
        SELECT DISTINCT coalesce(a.area, '') FROM old_rows o JOIN new_rows n ON n.id = o.id
        CROSS JOIN LATERAL (VALUES (o.area), (n.area)) AS a (area) WHERE n.area IS DISTINCT FROM o.area;
    END IF;
    RETURN NULL;
END $$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION usage_area_changed() SET search_path = %I, pg_temp', current_schema());
END $$;
CREATE TRIGGER usage_area_of_new AFTER INSERT ON station REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION usage_area_changed();
CREATE TRIGGER usage_area_of_moved AFTER UPDATE ON station REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION usage_area_changed();
CREATE TRIGGER usage_area_of_gone AFTER DELETE ON station REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION usage_area_changed();

DO $outer$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        CREATE OR REPLACE PROCEDURE roll_up_records(job integer DEFAULT 0, config jsonb DEFAULT NULL) LANGUAGE plpgsql AS $$
        DECLARE
            until timestamptz := coalesce((config->>'until')::timestamptz, date_trunc('hour', now() - interval '5 minutes'));
            touched record;
            old regclass;
        BEGIN
            PERFORM take_rollup_touches(until);
            COMMIT;
            FOR touched IN SELECT kind, date_trunc('day', began_at, 'UTC') AS day, min(began_at) AS first, max(began_at) AS last
                           FROM rollup_touch WHERE taken GROUP BY 1, 2 ORDER BY 1, 2 LOOP
                CALL refresh_continuous_aggregate((touched.kind || '_hour')::regclass, touched.first, touched.last + interval '1 hour');
                CALL refresh_continuous_aggregate((touched.kind || '_day')::regclass, touched.day, touched.day + interval '1 day');
                IF touched.kind = 'usage' THEN
                    PERFORM sum_usage_taken(touched.day);
                    COMMIT;
                END IF;
            END LOOP;
            DELETE FROM rollup_touch WHERE taken;
            COMMIT;
            WHILE EXISTS (SELECT FROM usage_due) LOOP
                PERFORM sum_usage_due();
                COMMIT;
            END LOOP;
            FOR old IN SELECT show_chunks(made, older_than => now() - interval '60 days')
                       FROM unnest(ARRAY['health_hour', 'health_day', 'usage_hour', 'usage_day']::regclass[]) AS made LOOP
                PERFORM compress_chunk(old, if_not_compressed => true);
                COMMIT;
            END LOOP;
        END $$;
    ELSE
        CREATE OR REPLACE PROCEDURE roll_up_records(job integer DEFAULT 0, config jsonb DEFAULT NULL)
        LANGUAGE plpgsql SECURITY DEFINER AS $$
        DECLARE
            until constant timestamptz := coalesce((config->>'until')::timestamptz, date_trunc('hour', now() - interval '5 minutes'));
            day timestamptz;
        BEGIN
            PERFORM take_rollup_touches('-infinity');
            SELECT date_trunc('day', min(began_at), 'UTC') INTO day FROM rollup_touch WHERE taken OR began_at < until;
            PERFORM take_rollup_touches(least(until, day + interval '1 day')) WHERE day IS NOT NULL;
            IF EXISTS (SELECT FROM rollup_touch WHERE taken) THEN
                PERFORM roll_up_health_hour(), roll_up_usage_hour();
                PERFORM roll_up_health_day(), roll_up_usage_day();
                PERFORM sum_usage_taken();
                DELETE FROM rollup_touch WHERE taken;
            END IF;
            PERFORM sum_usage_due();
        END $$;
        EXECUTE format('ALTER PROCEDURE roll_up_records(integer, jsonb) SET search_path = %I, pg_temp', current_schema());
    END IF;
END $outer$;

-- The use that is stored already; a pass makes a day of it.
INSERT INTO usage_due (day)
SELECT generate_series(min(began_at) AT TIME ZONE 'UTC', max(began_at) AT TIME ZONE 'UTC', interval '1 day')::date
FROM usage_day HAVING count(*) > 0 AND isfinite(min(began_at)) AND isfinite(max(began_at));
