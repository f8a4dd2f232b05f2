-- What opening hours and closures make of a station's verdict, and what its lifecycle was before.

-- Whether each calendar is open now, when that began (NULL: longer ago than is kept) and when it ends. A calendar that is
-- not filled for now has no row: its stations count as open, for an alert too many is better than none.
CREATE VIEW calendar_now AS
SELECT c.id AS calendar, coalesce(last.closes_at > now(), false) AS open,
       CASE WHEN last.closes_at > now() THEN nullif(last.opens_at, c.filled_from) ELSE last.closes_at END AS changed_at,
       CASE WHEN last.closes_at > now() THEN nullif(last.closes_at, c.filled_to) ELSE next.opens_at END AS changes_at
FROM calendar c
LEFT JOIN LATERAL (
    SELECT o.opens_at, o.closes_at FROM calendar_opening o
    WHERE o.calendar = c.id AND o.opens_at <= now() ORDER BY o.opens_at DESC LIMIT 1) AS last ON true
LEFT JOIN LATERAL (
    SELECT o.opens_at FROM calendar_opening o
    WHERE o.calendar = c.id AND o.opens_at > now() ORDER BY o.opens_at LIMIT 1) AS next ON true
WHERE c.filled_from <= now() AND c.filled_to > now();

-- The closures that excuse now.
CREATE VIEW closure_now AS
SELECT id, station, area, programme, from_at FROM closure
WHERE approved_at IS NOT NULL AND withdrawn_at IS NULL AND from_at <= now() AND until_at > now();

-- The stations that they excuse, each once, and since when.
CREATE VIEW excused_now AS
SELECT station, min(from_at) AS since
FROM (
    SELECT station, from_at FROM closure_now WHERE station IS NOT NULL
    UNION ALL
    SELECT s.id, c.from_at FROM closure_now c JOIN area a ON a.path @> ARRAY[c.area] JOIN station s ON s.area = a.code
    UNION ALL
    SELECT sp.station, c.from_at FROM closure_now c JOIN station_programme sp ON sp.programme = c.programme) AS each
GROUP BY station;

-- As before, and `closed` and `excused` where it is not online and nobody expects it to be: the rules and their order
-- are those of alerting/verdict.py.
CREATE OR REPLACE VIEW station_verdict AS
SELECT s.id AS station, s.name, s.name_en, s.area, s.kind, s.lat, s.lon, s.lifecycle,
       CASE j.why WHEN 'lifecycle' THEN 'suspended' WHEN 'never_heard' THEN 'never_seen' WHEN 'judged' THEN st.state
                  WHEN 'outside_hours' THEN 'closed' WHEN 'closure' THEN 'excused' ELSE 'unknown' END AS verdict,
       CASE WHEN j.why IN ('judged', 'state_unknown') THEN st.since
            WHEN j.why IN ('clock_stale', 'clock_blind') THEN own.doubtful_since
            WHEN j.why = 'closure' THEN greatest(st.since, hours.changed_at, excuse.since)
            WHEN j.why = 'outside_hours' AND hours.changed_at IS NOT NULL THEN greatest(st.since, hours.changed_at)
       END AS since,
       j.why,
       CASE WHEN j.why = 'judged' THEN st.usable END AS usable,
       coalesce(hours.open, true) AS open
FROM station s
LEFT JOIN station_state st ON st.station = s.id
LEFT JOIN (SELECT partition, bool_and(doubt IS NULL) AS sound FROM clock_trust GROUP BY partition) AS clocks
       ON clocks.partition = st.partition
LEFT JOIN LATERAL (
    SELECT c.doubt, c.doubtful_since FROM clock_trust c
    WHERE NOT clocks.sound AND c.partition = st.partition
    ORDER BY c.shard = coalesce(st.shard, (SELECT t.shard FROM terminal_state t WHERE t.station = s.id
                                           ORDER BY t.seen_at DESC NULLS LAST, t.terminal LIMIT 1)) DESC NULLS LAST,
             c.doubt IS NULL, c.known_until, c.shard
    LIMIT 1) AS own ON true
LEFT JOIN calendar_now hours ON hours.calendar = s.calendar
LEFT JOIN excused_now excuse ON excuse.station = s.id
CROSS JOIN LATERAL (SELECT CASE
    WHEN s.lifecycle <> 'commissioned' THEN 'lifecycle'
    WHEN st.state IS NULL OR st.state = 'never_seen' THEN 'never_heard'
    WHEN clocks.sound IS NULL THEN 'clock_missing'
    WHEN own.doubt IS NOT NULL THEN own.doubt
    WHEN st.state NOT IN ('online', 'away', 'offline') THEN 'state_unknown'
    WHEN st.state = 'online' THEN 'judged'
    WHEN NOT hours.open THEN 'outside_hours'
    WHEN excuse.since IS NOT NULL THEN 'closure'
    ELSE 'judged' END AS why) AS j;

-- Each change of a station's lifecycle: before the first one it was `before`, and without any it was always as it is.
CREATE TABLE station_lifecycle (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station text NOT NULL REFERENCES station ON DELETE CASCADE,
    at      timestamptz NOT NULL,
    before  text NOT NULL,
    after   text NOT NULL
);
CREATE INDEX station_lifecycle_station ON station_lifecycle (station, at);

CREATE FUNCTION station_lifecycle_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO station_lifecycle (station, at, before, after) VALUES (NEW.id, now(), OLD.lifecycle, NEW.lifecycle);
    RETURN NULL;
END $$;
CREATE TRIGGER station_lifecycle_changed AFTER UPDATE OF lifecycle ON station
    FOR EACH ROW WHEN (OLD.lifecycle <> NEW.lifecycle) EXECUTE FUNCTION station_lifecycle_changed();

-- What left service before this was kept: the last change of its row is the best that is known of when.
INSERT INTO station_lifecycle (station, at, before, after)
SELECT id, changed_at, 'commissioned', lifecycle FROM station WHERE lifecycle IN ('suspended', 'retired');

CREATE OR REPLACE FUNCTION grant_reader() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_reader') THEN
        RETURN false;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO milepost_reader', current_schema());
    GRANT SELECT ON area, station, station_verdict, clock_trust, station_state, terminal_state, transition,
                    pipeline_gap, incident, health, usage, closure, calendar_opening, area_count,
                    area_count_known TO milepost_reader;
    RETURN true;
END $$;
SELECT grant_reader();
