-- How many stations of an area and of everything below it stand how; kept by the incident process as states change.
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
);

-- What a programme wants of which areas; areas as codes, each standing for everything below it at `level`.
CREATE TABLE target (
    id        text PRIMARY KEY,
    programme text REFERENCES programme,
    name      text NOT NULL,
    metric    text NOT NULL,
    areas     text[] NOT NULL,
    level     text,
    threshold double precision,
    deadline  date
);
