-- Health and usage of each terminal by hour and by day (UTC), for long ranges. On TimescaleDB they are continuous aggregates that a
-- job refreshes, on plain PostgreSQL tables that `milepost audit` keeps; names, columns and figures are the same. Sums are numeric,
-- so that no order of arrival changes them; a mean is a sum divided by its count, because a record may lack a field.

-- The hours of which records arrived, written in the transaction of the records.
CREATE TABLE rollup_touch (
    kind     text NOT NULL CHECK (kind IN ('health', 'usage')),
    began_at timestamptz NOT NULL,
    -- NULL: of any station, arrived within their hour. Late records name their station.
    station  text,
    -- Being worked on; still here if that was cut off.
    taken    boolean NOT NULL DEFAULT false
);

-- Since when there are records or figures of a kind. The older ones are deleted; figures that were made of them stay.
CREATE TABLE record_kept (
    kind  text PRIMARY KEY,
    since timestamptz NOT NULL
);

-- Take the hours that are over, and forget those of which records are deleted.
CREATE FUNCTION take_rollup_touches(until timestamptz) RETURNS void LANGUAGE sql SET search_path FROM CURRENT AS $$
    DELETE FROM rollup_touch t USING record_kept k WHERE k.kind IN (t.kind, t.kind || '_hour') AND t.began_at < k.since;
    UPDATE rollup_touch SET taken = true WHERE began_at < until AND NOT taken;
$$;

DO $outer$
DECLARE
    is_timescale constant boolean := EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb');
    measured constant text[] := '{cpu, mem, disk, temp, rtt_ms}';
    of_health constant text := 'count(*) AS samples' || (
        SELECT string_agg(format(', count(%1$s) AS %1$s_count, sum(%1$s::numeric) AS %1$s_sum, max(%1$s) AS %1$s_max', name), '')
        FROM unnest(measured) AS name);
    of_health_hour constant text := 'sum(samples)::bigint AS samples' || (
        SELECT string_agg(format(', sum(%1$s_count)::bigint AS %1$s_count, sum(%1$s_sum) AS %1$s_sum, max(%1$s_max) AS %1$s_max',
                                 name), '') FROM unnest(measured) AS name);
    of_usage constant text := 'count(*) AS samples, sum(sessions) AS sessions, sum(minutes::numeric) AS minutes, sum(bytes) AS bytes';
    of_usage_hour constant text := 'sum(samples)::bigint AS samples, sum(sessions) AS sessions, sum(minutes) AS minutes, '
        'sum(bytes) AS bytes';
    made record;
BEGIN
    FOR made IN SELECT * FROM (VALUES
        -- (name, kind, unit, made of, its column of time, figures, which rows)
        ('health_hour', 'health', 'hour', 'health', 'ts', of_health, 'time_source <> ''unknown'''),
        ('health_day', 'health', 'day', 'health_hour', 'began_at', of_health_hour, 'true'),
        ('usage_hour', 'usage', 'hour', 'usage', 'ts', of_usage, 'true'),
        ('usage_day', 'usage', 'day', 'usage_hour', 'began_at', of_usage_hour, 'true')
        ) AS t (name, kind, unit, source, moment, figures, which)
    LOOP
        IF is_timescale THEN
            EXECUTE format('CREATE MATERIALIZED VIEW %I WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS '
                           'SELECT time_bucket(interval ''1 %s'', %I) AS began_at, station, terminal, %s FROM %I WHERE %s '
                           'GROUP BY 1, 2, 3 WITH NO DATA',
                           made.name, made.unit, made.moment, made.figures, made.source, made.which);
            EXECUTE format('ALTER MATERIALIZED VIEW %I SET (timescaledb.enable_columnstore, timescaledb.segmentby = ''station'', '
                           'timescaledb.orderby = ''began_at DESC'')', made.name);
            CONTINUE;
        END IF;
        EXECUTE format('CREATE TABLE %I AS SELECT %I AS began_at, station, terminal, %s FROM %I GROUP BY 1, 2, 3 WITH NO DATA',
                       made.name, made.moment, made.figures, made.source);
        EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (station, began_at, terminal)', made.name);
        EXECUTE format('CREATE INDEX %I ON %I USING brin (began_at)', made.name || '_began_at', made.name);
        EXECUTE format($make$
            CREATE FUNCTION %I() RETURNS void LANGUAGE sql SET search_path FROM CURRENT AS $$
                DELETE FROM %2$I r USING rollup_touch t
                WHERE t.taken AND t.kind = %3$L AND t.station IS NULL AND r.began_at = date_trunc(%4$L, t.began_at, 'UTC');
                DELETE FROM %2$I r USING rollup_touch t
                WHERE t.taken AND t.kind = %3$L AND r.station = t.station AND r.began_at = date_trunc(%4$L, t.began_at, 'UTC');
                WITH touched AS MATERIALIZED (
                    SELECT DISTINCT date_trunc(%4$L, t.began_at, 'UTC') AS since, t.station AS late
                    FROM rollup_touch t WHERE t.taken AND t.kind = %3$L
                )
                INSERT INTO %2$I
                SELECT since, station, terminal, %7$s
                FROM touched JOIN %5$I ON %6$I >= since AND %6$I < since + interval '1 %4$s'
                WHERE late IS NULL AND %8$s GROUP BY 1, 2, 3
                UNION ALL
                SELECT since, station, terminal, %7$s
                FROM touched t JOIN %5$I ON station = late AND %6$I >= since AND %6$I < since + interval '1 %4$s'
                WHERE NOT EXISTS (SELECT FROM touched w WHERE w.since = t.since AND w.late IS NULL) AND %8$s GROUP BY 1, 2, 3
            $$ $make$, 'roll_up_' || made.name, made.name, made.kind, made.unit, made.source, made.moment, made.figures, made.which);
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %I() FROM PUBLIC', 'roll_up_' || made.name);
    END LOOP;
    IF is_timescale THEN
        -- A refresh is at most of a day, so that a record of last year costs a day of last year and not the time since.
        CREATE PROCEDURE roll_up_records(job integer DEFAULT 0, config jsonb DEFAULT NULL) LANGUAGE plpgsql AS $$
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
            END LOOP;
            DELETE FROM rollup_touch WHERE taken;
            COMMIT;
            FOR old IN SELECT show_chunks(made, older_than => now() - interval '60 days')
                       FROM unnest(ARRAY['health_hour', 'health_day', 'usage_hour', 'usage_day']::regclass[]) AS made LOOP
                PERFORM compress_chunk(old, if_not_compressed => true);
                COMMIT;
            END LOOP;
        END $$;
        PERFORM add_job('roll_up_records', interval '1 minute');
    ELSE
        -- For whole hours, and to find what is old.
        CREATE INDEX health_ts ON health USING brin (ts);
        CREATE INDEX usage_ts ON usage USING brin (ts);
        CREATE INDEX inventory_ts ON inventory USING brin (ts);
        CREATE INDEX presence_ts ON presence USING brin (ts);
        CREATE INDEX event_ts ON event USING brin (ts);
        CREATE PROCEDURE roll_up_records(job integer DEFAULT 0, config jsonb DEFAULT NULL)
        LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
            PERFORM take_rollup_touches(coalesce((config->>'until')::timestamptz, date_trunc('hour', now() - interval '5 minutes')));
            IF EXISTS (SELECT FROM rollup_touch WHERE taken) THEN
                PERFORM roll_up_health_hour(), roll_up_usage_hour();
                PERFORM roll_up_health_day(), roll_up_usage_day();
                DELETE FROM rollup_touch WHERE taken;
            END IF;
        END $$;
        -- No table of the caller's own may stand in for one of these.
        EXECUTE format('ALTER PROCEDURE roll_up_records(integer, jsonb) SET search_path = %I, pg_temp', current_schema());
    END IF;
END $outer$;
REVOKE EXECUTE ON FUNCTION take_rollup_touches(timestamptz) FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE roll_up_records(integer, jsonb) FROM PUBLIC;

-- The records that are stored already.
INSERT INTO rollup_touch (kind, began_at)
SELECT kind, generate_series(date_trunc('hour', first), date_trunc('hour', now()), interval '1 hour')
FROM (SELECT 'health' AS kind, min(ts) AS first FROM health UNION ALL SELECT 'usage', min(ts) FROM usage) AS stored
WHERE first IS NOT NULL;
