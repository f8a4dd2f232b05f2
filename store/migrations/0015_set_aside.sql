-- What a service cannot judge is set aside and named, and the service goes on with the rest.

CREATE TABLE set_aside (
    service text NOT NULL,
    -- What sort of thing it is: station, closure, calendar, terminal, transition, entry, part …
    kind    text NOT NULL,
    subject text NOT NULL,
    why     text NOT NULL,
    since   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (service, kind, subject)
);

-- A time within the bounds of contract/bounds.py: what was stored before there were any is read as the nearest moment
-- that can be named. Beyond the year 9999 no client could even read it.
CREATE FUNCTION held(at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN at < timestamptz '1900-01-01 00:00:00+00' THEN timestamptz '1900-01-01 00:00:00+00'
            WHEN at > timestamptz '2200-01-01 00:00:00+00' THEN timestamptz '2200-01-01 00:00:00+00'
            ELSE at END;
