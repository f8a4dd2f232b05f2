-- Incidents that have a common cause, and alerts that wait.

-- A child and its parent are written together, in whatever order.
ALTER TABLE incident ALTER CONSTRAINT incident_parent_fkey DEFERRABLE INITIALLY DEFERRED;

-- Told not before this: until the station opens.
ALTER TABLE notification ADD COLUMN not_before timestamptz;

-- Up to which moment the incident process has decided; one row.
CREATE TABLE incident_clock (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    known_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Deleted stations, for pollers: a row that is gone has no changed_xid.
CREATE TABLE station_deleted (
    station     text NOT NULL,
    changed_xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX station_deleted_changed ON station_deleted (changed_xid);
CREATE FUNCTION note_station_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO station_deleted (station) VALUES (OLD.id);
    RETURN NULL;
END $$;
CREATE TRIGGER station_deleted AFTER DELETE ON station
    FOR EACH ROW EXECUTE FUNCTION note_station_deleted();

-- One boot at two terminals is found by it. A heartbeat changes it only when the agent started anew, so the updates of
-- heartbeats stay on their page.
CREATE INDEX terminal_state_boot ON terminal_state (boot);

-- What a common cause remembers beside its incident; gone when nobody is down by it any more.
CREATE TABLE cause_memory (
    key      text NOT NULL,
    began_at timestamptz NOT NULL,
    memory   jsonb NOT NULL,
    PRIMARY KEY (key, began_at)
) WITH (fillfactor = 50);

-- When stations came and went lately, those that count for whether they flap.
CREATE TABLE flapping_memory (
    station text PRIMARY KEY,
    changes timestamptz[] NOT NULL,
    flaps   boolean NOT NULL
) WITH (fillfactor = 50);

-- Since when Milepost knows a station as commissioned. One that is imported years after it was commissioned is expected
-- to report from the import on, and not to have done so for years.
ALTER TABLE station ADD COLUMN in_service_at timestamptz;
UPDATE station SET in_service_at = changed_at WHERE lifecycle = 'commissioned';
CREATE FUNCTION station_in_service() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.in_service_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER station_begins_in_service BEFORE INSERT ON station
    FOR EACH ROW WHEN (NEW.lifecycle = 'commissioned' AND NEW.in_service_at IS NULL)
    EXECUTE FUNCTION station_in_service();
CREATE TRIGGER station_comes_into_service BEFORE UPDATE OF lifecycle ON station
    FOR EACH ROW WHEN (NEW.lifecycle = 'commissioned' AND OLD.lifecycle <> 'commissioned')
    EXECUTE FUNCTION station_in_service();
