-- Stations that were registered by mistake: one that never had anything is removed, any other is retired. Who did it and
-- why is written down. A retired station counts nowhere.

ALTER TABLE station_lifecycle ADD COLUMN actor text, ADD COLUMN reason text;
ALTER TABLE station_deleted ADD COLUMN at timestamptz NOT NULL DEFAULT now(), ADD COLUMN name text,
    ADD COLUMN actor text, ADD COLUMN reason text;

-- The transaction says who and why (registry/removal_store.py); without a word of it nobody is named.
CREATE OR REPLACE FUNCTION station_lifecycle_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO station_lifecycle (station, at, before, after, actor, reason)
    VALUES (NEW.id, now(), OLD.lifecycle, NEW.lifecycle, nullif(current_setting('milepost.actor', true), ''),
            nullif(current_setting('milepost.reason', true), ''));
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION note_station_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO station_deleted (station, name, actor, reason)
    VALUES (OLD.id, OLD.name, nullif(current_setting('milepost.actor', true), ''),
            nullif(current_setting('milepost.reason', true), ''));
    RETURN NULL;
END $$;

-- Whether anything was ever heard, decided or declared about a station; that it is registered, with its terminals,
-- programmes and opening hours, is nothing.
CREATE FUNCTION station_has_history(wanted text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM terminal_state WHERE station = wanted)
        OR EXISTS (SELECT FROM station_state WHERE station = wanted)
        OR EXISTS (SELECT FROM station_lifecycle WHERE station = wanted)
        OR EXISTS (SELECT FROM incident WHERE station = wanted)
        OR EXISTS (SELECT FROM closure WHERE station = wanted)
        OR EXISTS (SELECT FROM terminal_facts WHERE station = wanted)
        OR EXISTS (SELECT FROM record_box WHERE station = wanted)
        OR EXISTS (SELECT FROM boot_anchor WHERE station = wanted)
        OR EXISTS (SELECT FROM transition WHERE station = wanted)
        OR EXISTS (SELECT FROM health WHERE station = wanted)
        OR EXISTS (SELECT FROM health_memory WHERE station = wanted)
        OR EXISTS (SELECT FROM health_state WHERE station = wanted)
        OR EXISTS (SELECT FROM flapping_memory WHERE station = wanted)
        OR EXISTS (SELECT FROM usage WHERE station = wanted)
        OR EXISTS (SELECT FROM presence WHERE station = wanted)
        OR EXISTS (SELECT FROM inventory WHERE station = wanted)
        OR EXISTS (SELECT FROM event WHERE station = wanted)
        OR EXISTS (SELECT FROM command_reply WHERE station = wanted)
$$;

-- The services delete no station but by this, which deletes none of which anything is on record. It runs with the rights
-- of its owner; store/grants.sql lets the services run it, and nobody else may.
CREATE FUNCTION remove_untouched_station(wanted text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM FROM station WHERE id = wanted FOR UPDATE;
    IF NOT FOUND OR station_has_history(wanted) THEN
        RETURN false;
    END IF;
    DELETE FROM station WHERE id = wanted;
    RETURN true;
END $$;
-- No table of the caller's own may stand in for one of these.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION remove_untouched_station(text) SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE EXECUTE ON FUNCTION remove_untouched_station(text) FROM PUBLIC;
