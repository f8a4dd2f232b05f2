-- What the registry said, and since when: facts are appended and never changed, so that a past day can be computed again
-- after any edit. The present tables stay as they are; triggers on them append the facts, so that no writer forgets.

-- No session writes these tables from here on until the triggers are there: an edit of a service that still runs is either copied
-- below or appends its facts.
LOCK TABLE area, station, terminal, station_programme, schedule, schedule_override, day_class, closure
    IN SHARE ROW EXCLUSIVE MODE;

-- A subject is what a fact is about; its form follows from the kind:
--   station             a station; fields area, lifecycle, kind, quorum, commissioned_at
--   terminal            a station; {terminal: whether it counts}
--   programme           a station; {programme: true}
--   schedule            a station; {first local day: {rules, zone}}
--   override, closure   a station; {number: the override or closure}
--   kind_schedule, kind_override            a kind of stations
--   area                an area; fields path, valid_from, valid_to, successor
--   area_override, area_closure             an area
--   programme_closure   a programme
--   country_override, day_class             '': everywhere
-- Moments in `fields` are microseconds since 1970, days are ISO 8601.
CREATE TABLE registry_fact (
    -- The order in which facts replace each other: of those that are effective, the newest one holds.
    id           bigint GENERATED ALWAYS AS IDENTITY,
    -- The transaction that recorded it: the facts of one edit.
    xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
    effective_at timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL DEFAULT now(),
    -- Whether `fields` is all that holds of the subject (NULL: it is no longer registered); otherwise only what changed,
    -- where null is what holds no longer.
    whole        boolean NOT NULL DEFAULT false CHECK (whole OR fields IS NOT NULL),
    kind         text NOT NULL CHECK (kind IN (
                     'station', 'terminal', 'programme', 'schedule', 'override', 'closure', 'kind_schedule',
                     'kind_override', 'area', 'area_override', 'area_closure', 'programme_closure', 'country_override',
                     'day_class')),
    subject      text NOT NULL,
    -- An account. No text that a person wrote is here, as nothing here can be blanked: the reason of an edit is in the
    -- closure and in station_lifecycle.
    recorded_by  text NOT NULL DEFAULT coalesce(nullif(current_setting('milepost.actor', true), ''), 'system'),
    fields       jsonb
);

-- Since when a change holds that names no time of its own.
CREATE FUNCTION fact_effective_at() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('milepost.effective_at', true), '')::timestamptz, now())
$$;

CREATE FUNCTION fact_moment(at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT (extract(epoch FROM held(at)) * 1000000)::bigint
$$;

-- Days as JSON writes them, whatever the session shows.
CREATE FUNCTION fact_day(day date) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT to_jsonb(day) #>> '{}' $$;

-- The first moment of a local day; a zone that is not known is that of China. Where clocks go back at midnight the first
-- midnight counts.
CREATE FUNCTION local_day_start(day date, zone text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    midnight timestamp;
    found    timestamptz;
BEGIN
    IF day < '1900-01-01' THEN
        RETURN '-infinity';
    ELSIF day > '2200-01-01' THEN
        RETURN 'infinity';
    END IF;
    midnight := day::timestamp;
    found := midnight AT TIME ZONE zone;
    IF (found - interval '1 hour') AT TIME ZONE zone >= midnight THEN
        RETURN found - interval '1 hour';
    END IF;
    RETURN found;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN midnight AT TIME ZONE 'Asia/Shanghai';
END $$;

-- The next local midnight, at which a move takes effect; the moment itself if it is one.
CREATE FUNCTION next_local_midnight(at timestamptz, zone text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    today date;
BEGIN
    IF NOT isfinite(at) THEN
        RETURN at;
    END IF;
    BEGIN
        today := (at AT TIME ZONE zone)::date;
    EXCEPTION WHEN invalid_parameter_value THEN
        RETURN next_local_midnight(at, 'Asia/Shanghai');
    END;
    RETURN CASE local_day_start(today, zone) WHEN at THEN at ELSE local_day_start(today + 1, zone) END;
END $$;

-- The zone of a station: that of the schedule that it follows now.
CREATE FUNCTION station_zone(station text, kind text, at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT CASE WHEN s.rules <> 'kind' THEN s.timezone END FROM schedule s
         WHERE s.station = station_zone.station AND s.valid_from <= (at AT TIME ZONE 'Asia/Shanghai')::date
         ORDER BY s.valid_from DESC LIMIT 1),
        (SELECT s.timezone FROM schedule s
         WHERE s.kind = station_zone.kind AND s.valid_from <= (at AT TIME ZONE 'Asia/Shanghai')::date
         ORDER BY s.valid_from DESC LIMIT 1),
        'Asia/Shanghai')
$$;

CREATE FUNCTION station_fields(area text, kind text, lifecycle text, quorum smallint, commissioned_at timestamptz)
RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('area', area, 'kind', kind, 'lifecycle', lifecycle, 'quorum', nullif(quorum, 1),
                                                'commissioned_at', fact_moment(commissioned_at)))
$$;

CREATE FUNCTION area_fields(path text[], valid_from date, valid_to date, successor text)
RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('path', path, 'valid_from', valid_from, 'valid_to', valid_to,
                                                'successor', successor))
$$;

-- A station is whole when it is registered. A move takes effect at the station's next midnight, everything else at once.
-- Old and new rows meet in a full join: a function keeps the plan of its first call, which for one row would be a nested loop
-- and takes minutes for the 100,000 rows of an import; a full join is never one.
CREATE FUNCTION station_facts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO registry_fact (kind, subject, effective_at, whole, fields)
        SELECT 'station', id, fact_effective_at(), true,
               station_fields(area, kind, lifecycle, quorum, commissioned_at)
        FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO registry_fact (kind, subject, effective_at, whole)
        SELECT 'station', id, fact_effective_at(), true FROM old_rows;
    ELSE
        -- Ids do not change by any query of ours; by hand the one ends and the other begins.
        WITH changed AS MATERIALIZED (
            SELECT n.id, n.kind, n.area, o.id AS was, o.kind AS old_kind, o.area AS old_area,
                   n.lifecycle, o.lifecycle AS old_lifecycle, n.quorum, o.quorum AS old_quorum,
                   n.commissioned_at, o.commissioned_at AS old_commissioned_at
            FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
            WHERE (n.id, n.area, n.kind, n.lifecycle, n.quorum, n.commissioned_at)
                IS DISTINCT FROM (o.id, o.area, o.kind, o.lifecycle, o.quorum, o.commissioned_at)
        ), renewed AS (
            SELECT id,
                   CASE WHEN kind IS DISTINCT FROM old_kind THEN jsonb_build_object('kind', kind) ELSE '{}' END
                || CASE WHEN lifecycle <> old_lifecycle THEN jsonb_build_object('lifecycle', lifecycle) ELSE '{}' END
                || CASE WHEN quorum <> old_quorum THEN jsonb_build_object('quorum', quorum) ELSE '{}' END
                || CASE WHEN commissioned_at IS DISTINCT FROM old_commissioned_at
                        THEN jsonb_build_object('commissioned_at', fact_moment(commissioned_at)) ELSE '{}' END AS fields
            FROM changed WHERE id = was)
        INSERT INTO registry_fact (kind, subject, effective_at, whole, fields)
        SELECT 'station', id, fact_effective_at(), false, fields FROM renewed WHERE fields <> '{}'
        UNION ALL
        SELECT 'station', id,
               next_local_midnight(fact_effective_at(), station_zone(id, kind, fact_effective_at())),
               false, jsonb_build_object('area', area)
        FROM changed WHERE id = was AND area IS DISTINCT FROM old_area
        UNION ALL
        SELECT 'station', was, fact_effective_at(), true, NULL FROM changed WHERE id IS NULL
        UNION ALL
        SELECT 'station', id, fact_effective_at(), true,
               station_fields(area, kind, lifecycle, quorum, commissioned_at)
        FROM changed WHERE was IS NULL;
    END IF;
    RETURN NULL;
END $$;

-- The same for areas, which move in the time of China.
CREATE FUNCTION area_facts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO registry_fact (kind, subject, effective_at, whole, fields)
        SELECT 'area', code, fact_effective_at(), true, area_fields(path, valid_from, valid_to, successor)
        FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO registry_fact (kind, subject, effective_at, whole)
        SELECT 'area', code, fact_effective_at(), true FROM old_rows;
    ELSE
        WITH changed AS MATERIALIZED (
            SELECT n.code, n.path, n.valid_from, n.valid_to, n.successor, o.code AS was, o.path AS old_path,
                   o.valid_from AS old_valid_from, o.valid_to AS old_valid_to, o.successor AS old_successor
            FROM new_rows n FULL JOIN old_rows o ON o.code = n.code
            WHERE (n.code, n.path, n.valid_from, n.valid_to, n.successor)
                IS DISTINCT FROM (o.code, o.path, o.valid_from, o.valid_to, o.successor)
        ), renewed AS (
            SELECT code,
                   CASE WHEN valid_from IS DISTINCT FROM old_valid_from
                        THEN jsonb_build_object('valid_from', valid_from) ELSE '{}' END
                || CASE WHEN valid_to IS DISTINCT FROM old_valid_to
                        THEN jsonb_build_object('valid_to', valid_to) ELSE '{}' END
                || CASE WHEN successor IS DISTINCT FROM old_successor
                        THEN jsonb_build_object('successor', successor) ELSE '{}' END AS fields
            FROM changed WHERE code = was)
        INSERT INTO registry_fact (kind, subject, effective_at, whole, fields)
        SELECT 'area', code, fact_effective_at(), false, fields FROM renewed WHERE fields <> '{}'
        UNION ALL
        SELECT 'area', code, next_local_midnight(fact_effective_at(), 'Asia/Shanghai'), false,
               jsonb_build_object('path', path)
        FROM changed WHERE code = was AND path <> old_path
        UNION ALL
        SELECT 'area', was, fact_effective_at(), true, NULL FROM changed WHERE code IS NULL
        UNION ALL
        SELECT 'area', code, fact_effective_at(), true, area_fields(path, valid_from, valid_to, successor)
        FROM changed WHERE was IS NULL;
    END IF;
    RETURN NULL;
END $$;

-- TRUNCATE shows a trigger no rows, so it would leave the facts of the deleted rows in force.
CREATE FUNCTION refuse_registry_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'TRUNCATE of % is refused, because it appends no facts: use DELETE', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- Tables whose rows are single entries of a subject: each gets a function that appends what appeared, changed and went.
-- `entries` says what a row is as an entry. What has days or times of its own is effective since then.
DO $$
DECLARE
    made record;
BEGIN
    -- First of all, what is registered holds from always.
    PERFORM set_config('milepost.effective_at', '-infinity', true);
    INSERT INTO registry_fact (kind, subject, effective_at, whole, fields)
    SELECT 'area', code, fact_effective_at(), true, area_fields(path, valid_from, valid_to, successor)
    FROM area ORDER BY code;
    INSERT INTO registry_fact (kind, subject, effective_at, whole, fields)
    SELECT 'station', id, fact_effective_at(), true,
           station_fields(area, kind, coalesce(first.before, lifecycle), quorum, commissioned_at)
    FROM station
    LEFT JOIN (SELECT DISTINCT ON (l.station) l.station, l.before FROM station_lifecycle l
               ORDER BY l.station, l.at, l.id) AS first ON first.station = id
    ORDER BY id;
    -- Of lifecycles a history was kept. Its actors from before accounts are free text.
    INSERT INTO registry_fact (kind, subject, effective_at, recorded_at, recorded_by, fields)
    SELECT 'station', station, at, at, coalesce((SELECT id FROM account WHERE id = actor), 'system'),
           jsonb_build_object('lifecycle', after)
    FROM station_lifecycle ORDER BY at, id;

    FOR made IN
        SELECT * FROM (VALUES
            ('terminal', $entries$
                SELECT 'terminal' AS kind, station AS subject, id AS key, to_jsonb(counts) AS value,
                       fact_effective_at() AS effective_at FROM %1$s $entries$),
            ('station_programme', $entries$
                SELECT 'programme' AS kind, station AS subject, programme AS key, to_jsonb(true) AS value,
                       fact_effective_at() AS effective_at FROM %1$s $entries$),
            ('schedule', $entries$
                SELECT CASE WHEN station IS NULL THEN 'kind_schedule' ELSE 'schedule' END AS kind,
                       coalesce(station, kind) AS subject, fact_day(valid_from) AS key,
                       jsonb_strip_nulls(jsonb_build_object('rules', rules, 'zone', nullif(timezone, 'Asia/Shanghai')))
                           AS value,
                       local_day_start(valid_from, timezone) AS effective_at FROM %1$s $entries$),
            ('schedule_override', $entries$
                SELECT CASE WHEN station IS NOT NULL THEN 'override' WHEN kind IS NOT NULL THEN 'kind_override'
                            WHEN area IS NOT NULL THEN 'area_override' ELSE 'country_override' END AS kind,
                       coalesce(station, kind, area, '') AS subject, id::text AS key,
                       jsonb_build_object('from', from_day, 'to', to_day, 'rules', rules) AS value,
                       local_day_start(from_day, 'Asia/Shanghai') AS effective_at FROM %1$s $entries$),
            ('day_class', $entries$
                SELECT 'day_class' AS kind, '' AS subject, fact_day(day) AS key, to_jsonb(class) AS value,
                       local_day_start(day, 'Asia/Shanghai') AS effective_at FROM %1$s $entries$),
            ('closure', $entries$
                SELECT CASE WHEN station IS NOT NULL THEN 'closure' WHEN area IS NOT NULL THEN 'area_closure'
                            ELSE 'programme_closure' END AS kind,
                       coalesce(station, area, programme) AS subject, id::text AS key,
                       jsonb_strip_nulls(jsonb_build_object(
                           'kind', kind, 'from', fact_moment(from_at), 'until', fact_moment(until_at),
                           'declared', fact_moment(declared_at), 'approved', fact_moment(approved_at),
                           'withdrawn', fact_moment(withdrawn_at))) AS value,
                       held(from_at) AS effective_at FROM %1$s $entries$)
            ) AS of (source, entries)
    LOOP
        EXECUTE format($function$
            CREATE FUNCTION %1$I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $body$
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    INSERT INTO registry_fact (kind, subject, effective_at, fields)
                    SELECT kind, subject, effective_at, jsonb_object_agg(key, value)
                    FROM (%2$s) AS n GROUP BY kind, subject, effective_at;
                ELSIF TG_OP = 'DELETE' THEN
                    INSERT INTO registry_fact (kind, subject, effective_at, fields)
                    SELECT kind, subject, effective_at, jsonb_object_agg(key, NULL)
                    FROM (%3$s) AS o GROUP BY kind, subject, effective_at;
                ELSE
                    INSERT INTO registry_fact (kind, subject, effective_at, fields)
                    SELECT kind, subject, coalesce(n.effective_at, o.effective_at), jsonb_object_agg(key, n.value)
                    FROM (%2$s) AS n FULL JOIN (%3$s) AS o USING (kind, subject, key)
                    WHERE n.value IS DISTINCT FROM o.value
                    GROUP BY kind, subject, coalesce(n.effective_at, o.effective_at);
                END IF;
                RETURN NULL;
            END $body$ $function$,
            made.source || '_facts', format(made.entries, 'new_rows'), format(made.entries, 'old_rows'));
        EXECUTE format('
            INSERT INTO registry_fact (kind, subject, effective_at, fields)
            SELECT kind, subject, effective_at, jsonb_object_agg(key, value)
            FROM (%s) AS n GROUP BY kind, subject, effective_at ORDER BY kind, subject',
            format(made.entries, made.source));
    END LOOP;
    PERFORM set_config('milepost.effective_at', '', true);

    FOR made IN
        SELECT unnest('{area, station, terminal, station_programme, schedule, schedule_override, day_class, closure}'
                      ::text[]) AS source
    LOOP
        -- The rights are those of the owner, so a caller needs none to append facts; no table of the caller's own may
        -- stand in for one of these. No other role may put the function on a table: on a temporary one of a service it would
        -- append facts that no edit made.
        EXECUTE format('ALTER FUNCTION %I() SET search_path = %I, pg_temp', made.source || '_facts', current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %I() FROM PUBLIC', made.source || '_facts');
        EXECUTE format('CREATE TRIGGER facts_of_new AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows
                        FOR EACH STATEMENT EXECUTE FUNCTION %I()', made.source, made.source || '_facts');
        EXECUTE format('CREATE TRIGGER facts_of_changed AFTER UPDATE ON %I
                        REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
                        FOR EACH STATEMENT EXECUTE FUNCTION %I()', made.source, made.source || '_facts');
        EXECUTE format('CREATE TRIGGER facts_of_gone AFTER DELETE ON %I REFERENCING OLD TABLE AS old_rows
                        FOR EACH STATEMENT EXECUTE FUNCTION %I()', made.source, made.source || '_facts');
        EXECUTE format('CREATE TRIGGER facts_not_of_truncate BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_registry_truncate()', made.source);
    END LOOP;
END $$;

ALTER TABLE registry_fact ADD PRIMARY KEY (id);
CREATE INDEX registry_fact_subject ON registry_fact (subject);
-- What is not about one station or area is read as a whole.
CREATE INDEX registry_fact_common ON registry_fact (kind)
    WHERE kind NOT IN ('station', 'terminal', 'programme', 'schedule', 'override', 'closure', 'area');

-- Holding this lock exclusively proves that every fact with an id so far is committed or never will be (take_cut).
CREATE FUNCTION registry_fact_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('milepost registry facts', 0));
    RETURN NULL;
END $$;
CREATE TRIGGER registry_fact_begins BEFORE INSERT ON registry_fact
    FOR EACH STATEMENT EXECUTE FUNCTION registry_fact_begins();

CREATE FUNCTION registry_fact_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'facts of the registry are never changed or deleted: append a fact that corrects them'
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER registry_fact_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_fact
    FOR EACH STATEMENT EXECUTE FUNCTION registry_fact_stays();
-- In sessions with session_replication_role = replica too.
ALTER TABLE registry_fact ENABLE ALWAYS TRIGGER registry_fact_stays;

-- What an edit asks of the facts to write them into the ledger. With the rights of the owner: an edit sees the facts of its
-- own transaction, and needs no right to read any other.

-- The last number that was given to a fact, also to one of an import that is still running: looking for the newest row would
-- step over all of its rows.
CREATE FUNCTION newest_registry_fact() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM registry_fact_id_seq
$$;

-- Transactions of the database that this one was restored from may have had the same number, but their facts come before.
CREATE FUNCTION registry_facts_of_edit(after bigint, most integer)
RETURNS TABLE (id bigint, kind text, subject text, effective_us bigint, whole boolean, fields jsonb)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT f.id, f.kind, f.subject, fact_moment(f.effective_at), f.whole, f.fields
    FROM registry_fact f WHERE f.id > after AND f.xid = pg_current_xact_id() ORDER BY f.id LIMIT most
$$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION newest_registry_fact() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION registry_facts_of_edit(bigint, integer) SET search_path = %I, pg_temp',
                   current_schema());
END $$;

-- A change of terminals is a change of their stations: once a statement, not once a terminal. Rows are locked in the order
-- of ids, as other writers do.
DROP TRIGGER terminal_touches_station ON terminal;
DROP FUNCTION terminal_touches_station();
CREATE FUNCTION touch_stations(ids text[]) RETURNS void LANGUAGE sql AS $$
    UPDATE station SET changed_at = now()
    FROM (SELECT id FROM station WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE) AS touched
    WHERE station.id = touched.id
$$;
CREATE FUNCTION terminal_touches_station() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM touch_stations(ARRAY(SELECT DISTINCT station FROM new_rows));
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM touch_stations(ARRAY(SELECT DISTINCT station FROM old_rows));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER touch_of_new AFTER INSERT ON terminal REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION terminal_touches_station();
CREATE TRIGGER touch_of_changed AFTER UPDATE ON terminal REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION terminal_touches_station();
CREATE TRIGGER touch_of_gone AFTER DELETE ON terminal REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION terminal_touches_station();
