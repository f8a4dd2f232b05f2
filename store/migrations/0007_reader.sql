-- What dashboards read, and the role that may read it and nothing else.

-- How far each pipeline clock can be trusted now: alerting/verdict.py, `doubt`, in SQL; a test holds the two together.
CREATE VIEW clock_trust AS
SELECT c.partition, c.shard, c.clock, c.tick_at, c.judged_at, c.blind_since, c.known_until,
       CASE WHEN c.stale_since <= coalesce(c.doubted_since, 'infinity') THEN 'clock_stale'
            WHEN c.doubted_since IS NOT NULL THEN 'clock_blind' END AS doubt,
       least(c.stale_since, c.doubted_since) AS doubtful_since
FROM (
    SELECT partition, shard, clock, tick_at, judged_at, blind_since, least(tick_at, judged_at) AS known_until,
           CASE WHEN now() - least(tick_at, judged_at) > interval '10 s' THEN least(tick_at, judged_at) END AS stale_since,
           CASE WHEN now() - blind_since > interval '5 s' THEN blind_since END AS doubted_since
    FROM partition_clock) AS c;

-- The verdict of every station, by the rules and in the order of alerting/verdict.py. The shard through which a station
-- was heard last is looked up only in partitions where the clocks differ; where its clock is not there, the least
-- trusty of the partition stands for it.
CREATE VIEW station_verdict AS
SELECT s.id AS station, s.name, s.name_en, s.area, s.kind, s.lat, s.lon, s.lifecycle,
       CASE j.why WHEN 'lifecycle' THEN 'suspended' WHEN 'never_heard' THEN 'never_seen' WHEN 'judged' THEN st.state
                  ELSE 'unknown' END AS verdict,
       CASE WHEN j.why IN ('judged', 'state_unknown') THEN st.since
            WHEN j.why IN ('clock_stale', 'clock_blind') THEN own.doubtful_since END AS since,
       j.why,
       CASE WHEN j.why = 'judged' THEN st.usable END AS usable
FROM station s
LEFT JOIN station_state st ON st.station = s.id
LEFT JOIN (SELECT partition, bool_and(doubt IS NULL) AS sound FROM clock_trust GROUP BY partition) AS clocks
       ON clocks.partition = st.partition
LEFT JOIN LATERAL (
    SELECT c.doubt, c.doubtful_since FROM clock_trust c
    WHERE NOT clocks.sound AND c.partition = st.partition
    ORDER BY c.shard = (SELECT t.shard FROM terminal_state t WHERE t.station = s.id
                        ORDER BY t.seen_at DESC NULLS LAST, t.terminal LIMIT 1) DESC NULLS LAST,
             c.doubt IS NULL, c.known_until, c.shard
    LIMIT 1) AS own ON true
CROSS JOIN LATERAL (SELECT CASE
    WHEN s.lifecycle <> 'commissioned' THEN 'lifecycle'
    WHEN st.state IS NULL OR st.state = 'never_seen' THEN 'never_heard'
    WHEN clocks.sound IS NULL THEN 'clock_missing'
    WHEN own.doubt IS NOT NULL THEN own.doubt
    WHEN st.state NOT IN ('online', 'away', 'offline') THEN 'state_unknown'
    ELSE 'judged' END AS why) AS j;

-- Transitions are written nearly in the order of their time: a small index is enough to find those of some hours.
CREATE INDEX transition_at ON transition USING brin (at);

-- Not among them: notification and delivery, whose targets can carry secrets. To be called again by whoever creates
-- the role later, where migrations may not create roles.
CREATE FUNCTION grant_reader() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_reader') THEN
        RETURN false;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO milepost_reader', current_schema());
    GRANT SELECT ON area, station, station_verdict, clock_trust, station_state, terminal_state, transition,
                    pipeline_gap, incident, health, usage TO milepost_reader;
    RETURN true;
END $$;

-- A role belongs to the whole server: it may be there already, made by another database or at this very moment.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_reader') THEN
        CREATE ROLE milepost_reader NOLOGIN;
    END IF;
EXCEPTION
    WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
        RAISE NOTICE 'the role milepost_reader was not created here: %', SQLERRM;
END $$;
SELECT grant_reader();
