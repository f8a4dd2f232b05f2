-- Stations that are online and that no visitor can use are counted and shown apart from those that work.

ALTER TABLE area_count ADD COLUMN unusable integer NOT NULL DEFAULT 0;

-- As before, and `unusable` where a station is online and its terminals say that nobody can use it; the rules and
-- their order are those of alerting/verdict.py.
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
