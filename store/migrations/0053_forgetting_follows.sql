-- Records are deleted only after their figures by hour and day are made, and the days of stations that follow from deleted records
-- are no longer revised (docs/uptime.md).

-- Of deleted presence records: until when the last of them lasted.
ALTER TABLE record_kept ADD COLUMN reached timestamptz;

-- The first local day of which no source is deleted, in any zone; NULL: none ever was. A local day begins up to a day before its date.
CREATE FUNCTION days_with_sources() RETURNS date LANGUAGE sql STABLE SET search_path FROM CURRENT
RETURN (SELECT (greatest(k.since, k.reached) AT TIME ZONE 'UTC')::date + 2 FROM record_kept k WHERE k.kind = 'presence');

-- Delete what began before a day (UTC): the chunks or at most `most` rows; how many went. 0: there are no more. An hour of which
-- records arrived, but not the figures are made, keeps all records since its day.
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
        RETURN gone;
    END IF;
    EXECUTE format('DELETE FROM %I WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$I WHERE %I < $1 LIMIT $2))', kind, moment)
    USING day, most;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

-- No table of the caller's own may stand in for one of these.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION forget_records(text, timestamptz, integer) SET search_path = %I, pg_temp', current_schema());
END $$;
