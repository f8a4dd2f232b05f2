-- The work and the notes of `milepost audit` have bounds: days and hours are found by an index, figures of records are made a day at
-- a time, and notes about stations do not grow while no process takes them (docs/limits.md).

-- The stations of an area on a day are read together, for the entries that the ledger has of them (audit/days/sealed).
CREATE INDEX day_member_path ON day_member (path);
CREATE INDEX day_figure_day_path ON day_figure (day, path);
DROP INDEX day_figure_day;

-- On plain PostgreSQL an hour of records is found by BRIN, as transitions are. What is not summarized is read whole: without this, all that came since
-- the last vacuum, up to a fifth of a table into which rows are only inserted.
ALTER INDEX IF EXISTS health_ts SET (autosummarize = on);
ALTER INDEX IF EXISTS usage_ts SET (autosummarize = on);
ALTER INDEX IF EXISTS inventory_ts SET (autosummarize = on);
ALTER INDEX IF EXISTS presence_ts SET (autosummarize = on);
ALTER INDEX IF EXISTS event_ts SET (autosummarize = on);
ALTER INDEX IF EXISTS transition_at SET (autosummarize = on);
ALTER INDEX IF EXISTS health_hour_began_at SET (autosummarize = on);
ALTER INDEX IF EXISTS health_day_began_at SET (autosummarize = on);
ALTER INDEX IF EXISTS usage_hour_began_at SET (autosummarize = on);
ALTER INDEX IF EXISTS usage_day_began_at SET (autosummarize = on);

-- A call makes the figures of the oldest day (UTC) of which records arrived, so that the records of years are no single transaction.
-- (On TimescaleDB each day is a transaction of its own already.)
DO $outer$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
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
                DELETE FROM rollup_touch WHERE taken;
            END IF;
        END $$;
        EXECUTE format('ALTER PROCEDURE roll_up_records(integer, jsonb) SET search_path = %I, pg_temp', current_schema());
        -- No service writes such a time, and 0049 would count the hours since then.
        ALTER TABLE health ADD CONSTRAINT health_ts_is_finite CHECK (isfinite(ts)) NOT VALID;
        ALTER TABLE usage ADD CONSTRAINT usage_ts_is_finite CHECK (isfinite(ts)) NOT VALID;
    END IF;
END $outer$;

-- What triggers note of a station is joined from the sixteenth row on: the days between are computed again too, which changes no
-- figure. The process takes rows before its transaction; rows that are taken stay as they are.
ALTER TABLE day_touch ADD COLUMN taken boolean NOT NULL DEFAULT false;
CREATE INDEX day_touch_station ON day_touch (station);

CREATE FUNCTION touch_days(stations text[], begun timestamptz[], ended timestamptz[], why text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    WITH new AS MATERIALIZED (
        SELECT station, began_at, ended_at FROM unnest(stations, begun, ended) AS n (station, began_at, ended_at)
    ), many AS MATERIALIZED (
        SELECT n.station, min(n.began_at) AS began_at, max(n.ended_at) AS ended_at FROM new n
        WHERE (SELECT count(*) FROM day_touch t WHERE t.station = n.station AND t.cause = why AND NOT t.taken) >= 16
        GROUP BY n.station
    ), joined AS (
        UPDATE day_touch d SET began_at = least(d.began_at, m.began_at), ended_at = greatest(d.ended_at, m.ended_at)
        -- A row that the process takes now, or another writer changes, is not waited for.
        FROM many m CROSS JOIN LATERAL (
            SELECT t.id FROM day_touch t WHERE t.station = m.station AND t.cause = why AND NOT t.taken
            LIMIT 1 FOR UPDATE SKIP LOCKED) AS free
        WHERE d.id = free.id RETURNING d.station
    )
    INSERT INTO day_touch (station, began_at, ended_at, cause)
    SELECT station, began_at, ended_at, why FROM new WHERE station NOT IN (SELECT station FROM joined)
$$;
REVOKE EXECUTE ON FUNCTION touch_days(text[], timestamptz[], timestamptz[], text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION touch_days_of_presence() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.until IS NOT NULL AND NEW.time_source <> 'unknown' THEN
        PERFORM touch_days(ARRAY[NEW.station], ARRAY[held(NEW.ts)], ARRAY[held(NEW.until)], 'presence');
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION touch_days_of_suspicion() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM touch_days(array_agg(station), array_agg(held(missed_at)), array_agg(held(coalesce(ended_at, 'infinity'))), 'judged')
    FROM new_rows;
    RETURN NULL;
END $$;

-- A boot that was last heard 430 days ago is forgotten when its terminal has booted since: what it still sends is older than
-- ingest takes (400 days), so that no record is stored twice. Returns the last station that was looked at; NULL: there are no more.
CREATE FUNCTION forget_boots(after text, most integer) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    last text;
BEGIN
    SELECT max(station) INTO last FROM (SELECT station FROM boot_anchor WHERE station > after ORDER BY station LIMIT most) AS looked;
    WITH old AS (
        DELETE FROM boot_anchor a
        WHERE a.station > after AND a.station <= last AND a.last_at < now() - interval '430 days'
          AND EXISTS (SELECT FROM boot_anchor n WHERE n.station = a.station AND n.terminal = a.terminal AND n.run > a.run)
        RETURNING a.station, a.terminal, a.boot
    )
    DELETE FROM record_box b USING old WHERE b.station = old.station AND b.terminal = old.terminal AND b.box = old.boot;
    RETURN last;
END $$;
REVOKE EXECUTE ON FUNCTION forget_boots(text, integer) FROM PUBLIC;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION forget_boots(text, integer) SET search_path = %I, pg_temp', current_schema());
END $$;
