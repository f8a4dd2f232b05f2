-- When a station should be open, and when it need not be.

-- A schedule holds from a local day on ('-infinity': from always), until the next one of the same station or kind. A
-- station's own goes before its kind's; with neither it is open always.
CREATE TABLE schedule (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station     text REFERENCES station ON DELETE CASCADE,
    kind        text,
    valid_from  date NOT NULL,
    rules       text NOT NULL,
    timezone    text NOT NULL DEFAULT 'Asia/Shanghai',
    recorded_at timestamptz NOT NULL DEFAULT now(),
    recorded_by text,
    CHECK (num_nonnulls(station, kind) = 1),
    CHECK (length(rules) <= 2000)
);
CREATE UNIQUE INDEX schedule_station ON schedule (station, valid_from) WHERE station IS NOT NULL;
CREATE UNIQUE INDEX schedule_kind ON schedule (kind, valid_from) WHERE kind IS NOT NULL;

-- What import files said of opening hours before anybody read it. Rules that cannot be read are reported, not obeyed.
INSERT INTO schedule (station, valid_from, rules, recorded_by)
SELECT id, '-infinity', schedule, 'migration' FROM station WHERE schedule <> '24x7' AND length(schedule) <= 2000;

-- Days on which something else holds: for one station, a kind, an area with all below it, or (all null) everywhere.
CREATE TABLE schedule_override (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station     text REFERENCES station ON DELETE CASCADE,
    kind        text,
    area        text REFERENCES area,
    from_day    date NOT NULL,
    to_day      date NOT NULL CHECK (to_day >= from_day),
    rules       text NOT NULL,
    reason      text,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    recorded_by text,
    CHECK (num_nonnulls(station, kind, area) <= 1),
    CHECK (length(rules) <= 2000)
);
CREATE UNIQUE INDEX schedule_override_scope ON schedule_override (station, kind, area, from_day, to_day)
    NULLS NOT DISTINCT;
CREATE INDEX schedule_override_station ON schedule_override (station) WHERE station IS NOT NULL;

-- What the state announced for a day, where the calendar that Milepost brings does not know it or is wrong.
CREATE TABLE day_class (
    day   date PRIMARY KEY,
    class text NOT NULL CHECK (class IN ('workday', 'rest', 'holiday')),
    name  text
);

-- Stations that are open at the same times share a calendar; `openings` of it are kept from some days ago to some weeks
-- ahead, so that SQL can say whether a station should be open now. A station without one is open always.
CREATE TABLE calendar (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Of the definition: schedules with their versions and the overrides, as registry/calendar.py writes them.
    key         text NOT NULL UNIQUE,
    definition  jsonb NOT NULL,
    -- Whether an opening in the window hangs on a day of which nobody has announced yet what it will be.
    provisional boolean NOT NULL DEFAULT false,
    filled_from timestamptz NOT NULL,
    filled_to   timestamptz NOT NULL,
    -- Of the classes of the days that the openings were made with.
    classes     text NOT NULL
);
CREATE TABLE calendar_opening (
    calendar  bigint NOT NULL REFERENCES calendar ON DELETE CASCADE,
    opens_at  timestamptz NOT NULL,
    closes_at timestamptz NOT NULL CHECK (closes_at > opens_at),
    PRIMARY KEY (calendar, opens_at)
);
-- Without a foreign key, which would double the price of moving many stations: registry/calendar_store.py is the only
-- writer, one at a time.
ALTER TABLE station ADD COLUMN calendar bigint;
CREATE INDEX station_calendar ON station (calendar) WHERE calendar IS NOT NULL;

-- What the openings of each station come from, as a text that is the same for stations that share them; null: nothing.
CREATE VIEW station_opening_source AS
SELECT s.id AS station, s.calendar,
       nullif(concat_ws(E'\x1f', own.versions, kinds.source, exceptions.overrides, areas.overrides, everywhere.overrides), '')
           AS source
FROM station s
CROSS JOIN LATERAL
    (SELECT 'station ' || string_agg(concat_ws(' ', valid_from, timezone, rules), E'\x1e' ORDER BY valid_from) AS versions
     FROM schedule WHERE station = s.id) AS own
LEFT JOIN (SELECT station, 'override ' || string_agg(id::text, ' ' ORDER BY id) AS overrides
           FROM schedule_override WHERE station IS NOT NULL GROUP BY station) AS exceptions ON exceptions.station = s.id
LEFT JOIN (SELECT kind, 'kind ' || kind AS source
           FROM (SELECT kind FROM schedule UNION SELECT kind FROM schedule_override) AS k WHERE kind IS NOT NULL) AS kinds
       ON kinds.kind = s.kind
LEFT JOIN (SELECT a.code, 'area ' || string_agg(o.id::text, ' ' ORDER BY o.id) AS overrides
           FROM schedule_override o JOIN area a ON a.path @> ARRAY[o.area] GROUP BY a.code) AS areas
       ON areas.code = s.area
CROSS JOIN (SELECT 'everywhere ' || string_agg(id::text, ' ' ORDER BY id) AS overrides
            FROM schedule_override WHERE num_nonnulls(station, kind, area) = 0) AS everywhere;

-- Declared intervals of one station, an area with all below it, or a programme. Any silences alerts; only an approved
-- one excuses.
CREATE TABLE closure (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text NOT NULL DEFAULT 'closure' CHECK (kind IN ('closure', 'maintenance')),
    station      text REFERENCES station ON DELETE CASCADE,
    area         text REFERENCES area,
    programme    text REFERENCES programme,
    from_at      timestamptz NOT NULL,
    until_at     timestamptz NOT NULL CHECK (until_at > from_at),
    reason       text NOT NULL,
    declared_by  text NOT NULL,
    declared_at  timestamptz NOT NULL DEFAULT now(),
    approved_by  text,
    approved_at  timestamptz,
    evidence     text,
    withdrawn_by text,
    withdrawn_at timestamptz,
    CHECK (num_nonnulls(station, area, programme) = 1),
    CHECK ((withdrawn_by IS NULL) = (withdrawn_at IS NULL)),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL))
);
CREATE INDEX closure_until ON closure (until_at);
CREATE INDEX closure_station ON closure (station, from_at) WHERE station IS NOT NULL;
