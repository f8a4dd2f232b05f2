-- What a service has set aside is judged by nobody: its last verdict says nothing about now, and must not be shown as if it
-- did.

-- The stations of which that is so, since when and why: those that the incident process or a judge set aside, and those of
-- which a judge set terminals aside while no other terminal is online.
CREATE VIEW station_aside AS
SELECT station, min(since) AS since, min(why) AS why
FROM (
    SELECT subject AS station, since, why FROM set_aside WHERE service = 'incidents' AND kind = 'station'
    UNION ALL
    SELECT split_part(subject, '/', 2), since, why FROM set_aside WHERE service = 'judge' AND kind = 'station'
    UNION ALL
    SELECT split_part(a.subject, '/', 2), a.since, a.why FROM set_aside a
    WHERE a.service = 'judge' AND a.kind = 'terminal'
      AND NOT EXISTS (SELECT FROM terminal_state t JOIN terminal r ON r.station = t.station AND r.id = t.terminal AND r.counts
                      WHERE t.station = split_part(a.subject, '/', 2) AND t.state IN ('online', 'conflicting')
                        AND NOT EXISTS (SELECT FROM set_aside o WHERE o.service = 'judge' AND o.kind = 'terminal'
                                        AND o.subject = t.partition || '/' || t.station || '/' || t.terminal))
) AS found
GROUP BY station;

-- How stations stand: what the judges said last; `unproven` of those that fell with a suspected shard, `set_aside` of those
-- that nobody judges.
CREATE OR REPLACE VIEW station_stand AS
SELECT st.partition, st.station, coalesce(a.since, st.since) AS since, st.usable, st.shard,
       CASE WHEN st.state = 'never_seen' THEN st.state
            WHEN a.station IS NOT NULL THEN 'set_aside'
            WHEN m.station IS NULL OR st.state <> 'offline' THEN st.state ELSE 'unproven' END AS state
FROM station_state st
LEFT JOIN suspicion_member m ON m.station = st.station AND m.ended_at IS NULL
LEFT JOIN station_aside a ON a.station = st.station;

-- As before, and `set_aside` as a reason of its own.
CREATE OR REPLACE VIEW station_verdict AS
SELECT s.id AS station, s.name, s.name_en, s.area, s.kind, s.lat, s.lon, s.lifecycle,
       CASE j.why WHEN 'lifecycle' THEN 'suspended' WHEN 'never_heard' THEN 'never_seen'
                  WHEN 'judged' THEN CASE WHEN st.state = 'online' AND NOT st.usable THEN 'unusable' ELSE st.state END
                  WHEN 'outside_hours' THEN 'closed' WHEN 'closure' THEN 'excused' ELSE 'unknown' END AS verdict,
       CASE WHEN j.why IN ('judged', 'state_unknown', 'set_aside') THEN st.since
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
    WHEN st.state = 'set_aside' THEN 'set_aside'
    WHEN st.state NOT IN ('online', 'away', 'offline') THEN 'state_unknown'
    WHEN st.state = 'online' THEN 'judged'
    WHEN NOT hours.open THEN 'outside_hours'
    WHEN excuse.since IS NOT NULL THEN 'closure'
    ELSE 'judged' END AS why) AS j;
