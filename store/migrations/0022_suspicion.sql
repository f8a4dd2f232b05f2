-- Shards of which nearly all stations fell together. While one is suspected the stations that fell are unknown; the incident
-- process writes, verdicts and histories read.
CREATE TABLE suspicion (
    shard        text NOT NULL,
    opened_at    timestamptz NOT NULL,
    -- The instants that what fell has in common, since when heartbeats are missing, and up to when things were known.
    instant_from timestamptz NOT NULL,
    instant_to   timestamptz NOT NULL,
    began_at     timestamptz NOT NULL,
    known_at     timestamptz NOT NULL,
    -- How many fell, of how many that should have gone on, by which revision of the registry.
    fell         integer NOT NULL,
    counted      integer NOT NULL,
    registry     text NOT NULL,
    ended_at     timestamptz,
    ended_by     text CHECK (ended_by IN ('half_back', 'person')),
    PRIMARY KEY (shard, opened_at)
);
CREATE UNIQUE INDEX suspicion_running ON suspicion (shard) WHERE ended_at IS NULL;

-- A station is unknown from when it was missed until it came back, or had its time to after the suspicion ended. Stations
-- that are deleted leave their history, so that the counts can be checked.
CREATE TABLE suspicion_member (
    shard     text NOT NULL,
    opened_at timestamptz NOT NULL,
    station   text NOT NULL,
    heard_at  timestamptz NOT NULL,
    missed_at timestamptz NOT NULL,
    ended_at  timestamptz,
    returned  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (shard, opened_at, station, missed_at),
    FOREIGN KEY (shard, opened_at) REFERENCES suspicion
);
CREATE INDEX suspicion_member_station ON suspicion_member (station, missed_at);
CREATE UNIQUE INDEX suspicion_member_running ON suspicion_member (station) WHERE ended_at IS NULL;

-- How stations stand: what the judges said last, and `unproven` of those that fell with a suspected shard.
CREATE VIEW station_stand AS
SELECT st.partition, st.station, st.since, st.usable, st.shard,
       CASE WHEN m.station IS NULL OR st.state <> 'offline' THEN st.state ELSE 'unproven' END AS state
FROM station_state st
LEFT JOIN suspicion_member m ON m.station = st.station AND m.ended_at IS NULL;

-- As before, of how stations stand: those that fell with a suspected shard are unknown.
CREATE OR REPLACE VIEW station_verdict AS
SELECT s.id AS station, s.name, s.name_en, s.area, s.kind, s.lat, s.lon, s.lifecycle,
       CASE j.why WHEN 'lifecycle' THEN 'suspended' WHEN 'never_heard' THEN 'never_seen'
                  WHEN 'judged' THEN CASE WHEN st.state = 'online' AND NOT st.usable THEN 'unusable' ELSE st.state END
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
LEFT JOIN station_stand st ON st.station = s.id
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

CREATE OR REPLACE FUNCTION grant_reader() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_reader') THEN
        RETURN false;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO milepost_reader', current_schema());
    GRANT SELECT ON area, station, station_verdict, clock_trust, station_state, terminal_state, transition,
                    pipeline_gap, incident, health, usage, closure, calendar_opening, area_count,
                    area_count_known, suspicion, suspicion_member TO milepost_reader;
    RETURN true;
END $$;
SELECT grant_reader();
