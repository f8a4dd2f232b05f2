-- Records and their figures that are older than the settings say are deleted by `milepost audit`: whole chunks on TimescaleDB, rows in
-- batches elsewhere. No setting and no caller deletes what is younger than 184 days.

-- Delete what began before a day (UTC): the chunks or at most `most` rows; how many went. 0: there are no more.
CREATE FUNCTION forget_records(kind text, before timestamptz, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    day constant timestamptz := date_trunc('day', before, 'UTC');
    moment constant text := CASE WHEN kind LIKE '%\_%' THEN 'began_at' ELSE 'ts' END;
    gone bigint;
BEGIN
    IF kind NOT IN ('health', 'usage', 'inventory', 'presence', 'event', 'health_hour', 'health_day', 'usage_hour', 'usage_day') THEN
        RAISE EXCEPTION 'nothing of the kind % is deleted by age', kind;
    END IF;
    IF day > now() - interval '184 days' OR day IS NULL THEN
        RAISE EXCEPTION 'records of less than 184 days are not deleted: %', day;
    END IF;
    INSERT INTO record_kept AS k (kind, since) VALUES (forget_records.kind, day)
    ON CONFLICT ON CONSTRAINT record_kept_pkey DO UPDATE SET since = excluded.since WHERE k.since < excluded.since;
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        EXECUTE 'SELECT count(*) FROM drop_chunks($1::regclass, older_than => $2)' INTO gone USING kind, day;
        RETURN gone;
    END IF;
    EXECUTE format('DELETE FROM %I WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$I WHERE %I < $1 LIMIT $2))', kind, moment)
    USING day, most;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
REVOKE EXECUTE ON FUNCTION forget_records(text, timestamptz, integer) FROM PUBLIC;

-- Notifications of incidents that closed longer ago than `keep`, with their deliveries; the incident, its entries and the ledger
-- stay. A notification with a delivery that is still due stays, too. At most `most` of them; how many went.
CREATE FUNCTION forget_notifications(keep interval, most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    gone bigint;
BEGIN
    IF keep < interval '31 days' OR keep IS NULL THEN
        RAISE EXCEPTION 'notifications are kept for 31 days at least: %', keep;
    END IF;
    WITH old AS (
        SELECT n.id FROM notification n JOIN incident i ON i.id = n.incident
        WHERE n.created_at < now() - keep AND n.spread_at IS NOT NULL AND i.status = 'closed' AND i.closed_at < now() - keep
          AND NOT EXISTS (SELECT FROM delivery d WHERE d.notification = n.id AND d.status = 'pending')
        ORDER BY n.created_at LIMIT most FOR UPDATE OF n SKIP LOCKED
    ), sent AS (
        DELETE FROM delivery WHERE notification IN (SELECT id FROM old)
    )
    DELETE FROM notification WHERE id IN (SELECT id FROM old);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
CREATE INDEX notification_created ON notification (created_at);

-- Links that expired longer ago than `keep`, and the forms that were sent through them; not those of an incident that goes on.
CREATE FUNCTION forget_links(keep interval, most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    gone bigint;
BEGIN
    IF keep < interval '31 days' OR keep IS NULL THEN
        RAISE EXCEPTION 'links are kept for 31 days at least: %', keep;
    END IF;
    WITH old AS (
        SELECT l.id FROM link l JOIN incident i ON i.id = l.incident
        WHERE l.expires_at < now() - keep AND i.status = 'closed' AND i.closed_at < now() - keep
        ORDER BY l.expires_at LIMIT most FOR UPDATE OF l SKIP LOCKED
    ), posts AS (
        DELETE FROM link_post WHERE link IN (SELECT id FROM old)
    )
    DELETE FROM link WHERE id IN (SELECT id FROM old);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
CREATE INDEX link_expires ON link (expires_at);

REVOKE EXECUTE ON FUNCTION forget_notifications(interval, integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION forget_links(interval, integer) FROM PUBLIC;
-- No table of the caller's own may stand in for one of these.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION forget_records(text, timestamptz, integer) SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION forget_notifications(interval, integer) SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION forget_links(interval, integer) SET search_path = %I, pg_temp', current_schema());
END $$;
