-- Intervals in which nobody is told: by station, area, kind; and texts that an operator changed.

CREATE TABLE silence (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Neither a station nor an area: everything.
    station    text REFERENCES station ON DELETE CASCADE,
    area       text REFERENCES area,
    -- Empty: every kind.
    kinds      text[] NOT NULL DEFAULT '{}',
    from_at    timestamptz NOT NULL,
    until_at   timestamptz NOT NULL CHECK (until_at > from_at),
    reason     text NOT NULL CHECK (reason <> '' AND length(reason) <= 500),
    made_by    text NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now(),
    -- Ended early by a person.
    ended_at   timestamptz,
    ended_by   text,
    CHECK (station IS NULL OR area IS NULL),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX silence_until ON silence (until_at) WHERE ended_at IS NULL;
CREATE INDEX silence_station ON silence (station) WHERE station IS NOT NULL;
CREATE INDEX silence_area ON silence (area) WHERE area IS NOT NULL;

-- Texts of notifications that an operator changed; without a row the text of Milepost is used.
CREATE TABLE message_template (
    name      text NOT NULL,
    language  text NOT NULL CHECK (language IN ('zh-CN', 'en')),
    text      text NOT NULL CHECK (text <> '' AND length(text) <= 2000),
    edited_at timestamptz NOT NULL DEFAULT now(),
    edited_by text NOT NULL,
    PRIMARY KEY (name, language)
);

-- A silence that is made or ended concerns the escalations of all incidents, of which only some are in it.
CREATE FUNCTION silence_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO escalation_wake DEFAULT VALUES;
    PERFORM pg_notify('milepost_routing', '');
    PERFORM pg_notify('milepost_escalation', '');
    RETURN NULL;
END $$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION silence_changed() SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE EXECUTE ON FUNCTION silence_changed() FROM PUBLIC;
CREATE TRIGGER silence_changed AFTER INSERT OR UPDATE OR DELETE ON silence
    FOR EACH STATEMENT EXECUTE FUNCTION silence_changed();
