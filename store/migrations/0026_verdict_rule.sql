-- The rule of the verdict stands once in SQL, for the view and for the queries of the API; alerting/stations/verdict.py has it
-- in Python, and a test holds the two together. Of the queries only list_fallen has a form of its own, which says why.

-- Which rule gives a station its verdict. `doubt`: why its clock cannot be trusted, NULL if it can; `shut`: outside its opening
-- hours; `excused`: in an approved closure. Each of these three stands once, or the planner could not put the function in line
-- where a query gives it a subquery; so they are worked out only where they decide.
CREATE FUNCTION verdict_reason(lifecycle text, state text, doubt text, shut boolean, excused boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN lifecycle <> 'commissioned' THEN 'lifecycle'
                WHEN state IS NULL OR state = 'never_seen' THEN 'never_heard'
                ELSE coalesce(doubt, CASE WHEN state = 'set_aside' THEN 'set_aside'
                                          WHEN state NOT IN ('online', 'away', 'offline') THEN 'state_unknown'
                                          WHEN state = 'online' THEN 'judged'
                                          WHEN shut THEN 'outside_hours'
                                          WHEN excused THEN 'closure'
                                          ELSE 'judged' END) END
$$;

-- The verdict that a rule gives.
CREATE FUNCTION verdict_by(reason text, state text, usable boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE reason WHEN 'lifecycle' THEN 'suspended' WHEN 'never_heard' THEN 'never_seen'
                       WHEN 'judged' THEN CASE WHEN state = 'online' AND NOT usable THEN 'unusable' ELSE state END
                       WHEN 'outside_hours' THEN 'closed' WHEN 'closure' THEN 'excused' ELSE 'unknown' END
$$;

-- All stations with the verdict that they have now, for clocks, opening hours and closures that the caller has read. `sound`:
-- partitions in which every clock can be trusted; `partly`, `shards`: the (partition, shard) that can be trusted in others, of
-- which the shard that heard the station last counts; `shut`: calendars outside their hours; `stations`, `areas`,
-- `programmes`: what approved closures excuse. Put in line, so that a query reads only the stations that it asks for.
CREATE FUNCTION stations_now(
    sound int[], partly int[], shards text[], shut bigint[], stations text[], areas text[], programmes text[]
) RETURNS TABLE (id text, area text, lat float8, lon float8, lifecycle text, state text, verdict text)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT s.id, s.area, s.lat, s.lon, s.lifecycle, st.state,
           verdict_by(verdict_reason(
               s.lifecycle, st.state,
               CASE WHEN st.partition = ANY (sound) OR (st.partition, coalesce(st.shard, (
                        SELECT t.shard FROM terminal_state t WHERE t.station = st.station
                        ORDER BY t.seen_at DESC NULLS LAST, t.terminal LIMIT 1)))
                        IN (SELECT * FROM unnest(partly, shards)) THEN NULL ELSE 'clock_missing' END,
               hours.calendar IS NOT NULL,
               excuse.station IS NOT NULL OR s.area IN (SELECT code FROM area a WHERE a.path && areas)),
               st.state, st.usable)
    FROM station s LEFT JOIN station_stand st ON st.station = s.id
    LEFT JOIN unnest(shut) AS hours (calendar) ON hours.calendar = s.calendar
    LEFT JOIN (SELECT unnest(stations) AS station
               UNION SELECT sp.station FROM station_programme sp WHERE sp.programme = ANY (programmes)) AS excuse
           ON excuse.station = s.id
$$;

-- As before, by the rule above.
CREATE OR REPLACE VIEW station_verdict AS
SELECT s.id AS station, s.name, s.name_en, s.area, s.kind, s.lat, s.lon, s.lifecycle,
       verdict_by(j.why, st.state, st.usable) AS verdict,
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
CROSS JOIN LATERAL (SELECT verdict_reason(
    s.lifecycle, st.state, CASE WHEN clocks.sound IS NULL THEN 'clock_missing' ELSE own.doubt END,
    NOT hours.open, excuse.since IS NOT NULL) AS why) AS j;
