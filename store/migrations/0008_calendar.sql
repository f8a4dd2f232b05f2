-- When a station should be open, and when it need not be.

-- A schedule holds from a day on, until the next one of the same station or kind. A station's own goes before its
-- kind's; with neither it is open always.
CREATE TABLE schedule (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station     text REFERENCES station ON DELETE CASCADE,
    kind        text,
    valid_from  date NOT NULL,
    rules       text NOT NULL,
    timezone    text NOT NULL DEFAULT 'Asia/Shanghai',
    recorded_at timestamptz NOT NULL DEFAULT now(),
    recorded_by text,
    CHECK (num_nonnulls(station, kind) = 1)
);
CREATE UNIQUE INDEX schedule_station ON schedule (station, valid_from) WHERE station IS NOT NULL;
CREATE UNIQUE INDEX schedule_kind ON schedule (kind, valid_from) WHERE kind IS NOT NULL;

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
    CHECK (num_nonnulls(station, kind, area) <= 1)
);

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
    key         text NOT NULL UNIQUE,
    provisional boolean NOT NULL DEFAULT false,
    filled_from timestamptz NOT NULL,
    filled_to   timestamptz NOT NULL
);
CREATE TABLE calendar_opening (
    calendar  bigint NOT NULL REFERENCES calendar ON DELETE CASCADE,
    opens_at  timestamptz NOT NULL,
    closes_at timestamptz NOT NULL CHECK (closes_at > opens_at),
    PRIMARY KEY (calendar, opens_at)
);
ALTER TABLE station ADD COLUMN calendar bigint REFERENCES calendar;

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
    CHECK ((approved_by IS NULL) = (approved_at IS NULL))
);
CREATE INDEX closure_until ON closure (until_at);
CREATE INDEX closure_station ON closure (station, from_at) WHERE station IS NOT NULL;
