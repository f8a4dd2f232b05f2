-- How many stations of an area and of everything below it stand how; kept by the incident process as states change.
-- A row of an area without stations may be missing.
CREATE TABLE area_count (
    area       text PRIMARY KEY,
    online     integer NOT NULL DEFAULT 0,
    offline    integer NOT NULL DEFAULT 0,
    away       integer NOT NULL DEFAULT 0,
    closed     integer NOT NULL DEFAULT 0,
    excused    integer NOT NULL DEFAULT 0,
    never_seen integer NOT NULL DEFAULT 0,
    suspended  integer NOT NULL DEFAULT 0,
    -- Online and usable, of the commissioned.
    working    integer NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Up to which moment (the watermark) the counts hold; one row.
CREATE TABLE area_count_known (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    known_at timestamptz NOT NULL,
    -- Of the process that keeps them: without a sign of life they may be old.
    told_at  timestamptz NOT NULL
) WITH (fillfactor = 50);

-- What a programme wants of which areas; areas as codes, each standing for everything below it at `level`.
CREATE TABLE target (
    id        text PRIMARY KEY CHECK (id ~ '^[0-9A-Za-z_-]{1,64}$'),
    programme text REFERENCES programme,
    name      text NOT NULL,
    metric    text NOT NULL,
    areas     text[] NOT NULL CHECK (cardinality(areas) > 0),
    level     text,
    threshold double precision,
    deadline  date
);

-- Moments that the rules for blind spots keep over a restart: since when an area is dark, a station is expected …
CREATE TABLE blind_spot_memory (
    rule    text NOT NULL,
    -- An area or a station.
    subject text NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (rule, subject)
);

-- What the incident process looks up when it takes the lead.
CREATE INDEX incident_blind_spot ON incident (key) WHERE kind = 'blind_spot' AND status <> 'closed';
CREATE INDEX incident_blind_spot_resolved ON incident (key, id DESC)
    WHERE kind = 'blind_spot' AND status = 'closed' AND detail ? 'resolved_by';
