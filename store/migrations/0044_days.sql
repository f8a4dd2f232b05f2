-- Figures of stations by local day, kept by `milepost audit` (audit/days, docs/uptime.md). Nothing is overwritten: what becomes
-- known later is a further revision.

-- How far the days are kept. `cut`: the facts of the registry up to it are in the figures.
CREATE TABLE day_state (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    cut       bigint NOT NULL,
    first_day date NOT NULL,
    -- The newest kept day; before the first one the day before first_day.
    last_day  date NOT NULL
);

-- Up to which number the rows of a partition are in the figures; source is a table.
CREATE TABLE day_seen (
    source    text NOT NULL,
    partition integer NOT NULL,
    seq       bigint NOT NULL,
    PRIMARY KEY (source, partition)
);

-- Stations to which something happened that days may have to follow, written in the transaction in which it happened.
CREATE TABLE day_touch (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station  text NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    cause    text NOT NULL
);

-- Stations whose next day is computed one by one, because something happens to them at or before `until`.
CREATE TABLE day_wake (
    station text PRIMARY KEY,
    until   timestamptz NOT NULL
);

-- Stations to which nothing happens are in groups with the same opening hours, closures, lifecycle and state; `key` is a hash of
-- these. All in a group have the same figures each day.
CREATE TABLE day_share (
    id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key bytea NOT NULL UNIQUE
);

CREATE TABLE share_day (
    share          bigint NOT NULL REFERENCES day_share,
    day            date NOT NULL,
    scheduled_ms   integer NOT NULL,
    excused_ms     integer NOT NULL,
    unknown_ms     integer NOT NULL,
    online_ms      integer NOT NULL,
    service_due_ms integer NOT NULL,
    usable_ms      integer NOT NULL,
    PRIMARY KEY (share, day)
);

-- From the day `since` on, and before the day `until`, the station is in the group. `path`: its area and all areas above it.
CREATE TABLE day_member (
    station text NOT NULL,
    since   date NOT NULL,
    until   date CHECK (until > since),
    share   bigint NOT NULL REFERENCES day_share,
    path    text[] NOT NULL,
    PRIMARY KEY (station, since)
);
CREATE UNIQUE INDEX day_member_now ON day_member (station) WHERE until IS NULL;
CREATE INDEX day_member_share ON day_member (share) WHERE until IS NULL;

-- Days of stations to which something happened, and every further revision.
CREATE TABLE day_figure (
    station        text NOT NULL,
    day            date NOT NULL,
    revision       integer NOT NULL CHECK (revision > 0),
    path           text[] NOT NULL,
    scheduled_ms   integer NOT NULL,
    excused_ms     integer NOT NULL,
    unknown_ms     integer NOT NULL,
    online_ms      integer NOT NULL,
    service_due_ms integer NOT NULL,
    usable_ms      integer NOT NULL,
    -- Why there is a further revision; empty in the first one.
    causes         text[] NOT NULL DEFAULT '{}',
    -- Written after the month was frozen.
    addendum       boolean NOT NULL DEFAULT false,
    cut            bigint NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (station, day, revision)
);
CREATE INDEX day_figure_day ON day_figure (day);

-- The sums over the stations of an area itself, not of those below it, in their newest revisions. `path`: the area of that day
-- and all areas above it.
CREATE TABLE area_day (
    day            date NOT NULL,
    area           text NOT NULL,
    path           text[] NOT NULL,
    scheduled_ms   bigint NOT NULL,
    excused_ms     bigint NOT NULL,
    unknown_ms     bigint NOT NULL,
    online_ms      bigint NOT NULL,
    service_due_ms bigint NOT NULL,
    usable_ms      bigint NOT NULL,
    PRIMARY KEY (day, path)
);

-- Months whose figures stand; what comes later is an addendum.
CREATE TABLE month_frozen (
    month     date PRIMARY KEY,
    frozen_at timestamptz NOT NULL,
    cut       bigint NOT NULL
);

CREATE TABLE area_month (
    month          date NOT NULL REFERENCES month_frozen,
    area           text NOT NULL,
    path           text[] NOT NULL,
    scheduled_ms   bigint NOT NULL,
    excused_ms     bigint NOT NULL,
    unknown_ms     bigint NOT NULL,
    online_ms      bigint NOT NULL,
    service_due_ms bigint NOT NULL,
    usable_ms      bigint NOT NULL,
    PRIMARY KEY (month, path)
);

-- Every kept day of every station in every revision, and in its newest. With the rights of the reader, so that policies apply.
CREATE VIEW station_day_revision WITH (security_invoker) AS
SELECT station, day, revision, path, scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms,
       causes, addendum, cut, recorded_at
FROM day_figure
UNION ALL
SELECT m.station, s.day, 1, m.path, s.scheduled_ms, s.excused_ms, s.unknown_ms, s.online_ms, s.service_due_ms, s.usable_ms,
       '{}'::text[], false, NULL::bigint, NULL::timestamptz
FROM day_member m JOIN share_day s ON s.share = m.share AND s.day >= m.since AND (m.until IS NULL OR s.day < m.until);

CREATE VIEW station_day WITH (security_invoker) AS
SELECT station, day, revision, path, scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms
FROM day_figure f
WHERE NOT EXISTS (SELECT FROM day_figure l WHERE l.station = f.station AND l.day = f.day AND l.revision > f.revision)
UNION ALL
SELECT m.station, s.day, 1, m.path, s.scheduled_ms, s.excused_ms, s.unknown_ms, s.online_ms, s.service_due_ms, s.usable_ms
FROM day_member m JOIN share_day s ON s.share = m.share AND s.day >= m.since AND (m.until IS NULL OR s.day < m.until)
WHERE NOT EXISTS (SELECT FROM day_figure l WHERE l.station = m.station AND l.day = s.day);

-- Presence has no number by which what is new could be found, and members of a suspicion change.
CREATE FUNCTION touch_days_of_presence() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.until IS NOT NULL AND NEW.time_source <> 'unknown' THEN
        INSERT INTO day_touch (station, began_at, ended_at, cause)
        VALUES (NEW.station, held(NEW.ts), held(NEW.until), 'presence');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER touch_days AFTER INSERT ON presence FOR EACH ROW EXECUTE FUNCTION touch_days_of_presence();

CREATE FUNCTION touch_days_of_suspicion() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO day_touch (station, began_at, ended_at, cause)
    SELECT station, held(missed_at), held(coalesce(ended_at, 'infinity')), 'judged' FROM new_rows;
    RETURN NULL;
END $$;
CREATE TRIGGER touch_days_new AFTER INSERT ON suspicion_member REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION touch_days_of_suspicion();
CREATE TRIGGER touch_days_ended AFTER UPDATE ON suspicion_member REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION touch_days_of_suspicion();

-- Days end in the zones of schedules.
CREATE INDEX schedule_timezone ON schedule (timezone);
