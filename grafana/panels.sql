-- name: counts
-- The number of stations by verdict, a column each, so that a verdict without stations shows 0. Retired stations are left
-- out.
SELECT count(*) FILTER (WHERE verdict = 'online') AS online,
       count(*) FILTER (WHERE verdict = 'unusable') AS unusable,
       count(*) FILTER (WHERE verdict = 'offline') AS offline,
       count(*) FILTER (WHERE verdict = 'away') AS away,
       count(*) FILTER (WHERE verdict = 'closed') AS closed,
       count(*) FILTER (WHERE verdict = 'excused') AS excused,
       count(*) FILTER (WHERE verdict = 'unknown') AS unknown,
       count(*) FILTER (WHERE verdict = 'never_seen') AS never_seen,
       count(*) FILTER (WHERE verdict = 'suspended') AS suspended
FROM station_verdict
WHERE lifecycle <> 'retired'
  AND ('*' = ${area:sqlstring} OR area IN (SELECT code FROM area WHERE path @> ARRAY[${area:sqlstring}]));

-- name: worst
-- The stations that have been without service longest. Unknown stations are left out, because the platform is the cause.
-- Only stations with these judged states can have such a verdict, so all others need not be read.
SELECT v.station, v.name, coalesce(a.{name}, a.name, v.area) AS area, v.verdict, v.since,
       extract(epoch FROM now() - v.since)::float8 AS lasts
FROM station_verdict v LEFT JOIN area a ON a.code = v.area
WHERE v.verdict IN ('offline', 'unusable', 'away')
  AND v.station IN (SELECT station FROM station_state WHERE state IN ('offline', 'away') OR state = 'online' AND NOT usable)
  AND ('*' = ${area:sqlstring} OR v.area IN (SELECT code FROM area WHERE path @> ARRAY[${area:sqlstring}]))
ORDER BY array_position(ARRAY['offline', 'unusable', 'away'], v.verdict), v.since, v.station LIMIT 50;

-- name: incidents
-- The open incidents; children are left out, because only their parent is notified.
SELECT i.id, i.kind, coalesce(i.station, i.area, i.shard) AS place, s.name, i.status, i.began_at AS began,
       coalesce(i.assignee, i.acknowledged_remark, i.acknowledged_by) AS owner
FROM incident i LEFT JOIN station s ON s.id = i.station
WHERE i.status <> 'closed' AND i.parent IS NULL
  AND ('*' = ${area:sqlstring}
       OR coalesce(i.area, s.area) IN (SELECT code FROM area WHERE path @> ARRAY[${area:sqlstring}]))
ORDER BY i.began_at, i.id LIMIT 50;

-- name: blind_spots
-- The open blind spots; areas first, because each stands for all its stations.
SELECT i.detail ->> 'kind' AS kind, coalesce(a.{name}, a.name, i.area, s.area) AS area, i.station, s.name,
       i.began_at AS since, extract(epoch FROM now() - i.began_at)::float8 AS lasts, i.detail ->> 'clears' AS clears
FROM incident i LEFT JOIN station s ON s.id = i.station LEFT JOIN area a ON a.code = coalesce(i.area, s.area)
WHERE i.kind = 'blind_spot' AND i.status <> 'closed'
  AND ('*' = ${area:sqlstring}
       OR coalesce(i.area, s.area) IN (SELECT code FROM area WHERE path @> ARRAY[${area:sqlstring}]))
ORDER BY i.station IS NOT NULL, i.began_at, i.id LIMIT 200;

-- name: share
-- The share of stations in service that were judged online, usable or not, as in the online rate. It is counted back from
-- now: the changes after a moment are subtracted from the present number. It is not the audited rate of a period.
WITH mine AS MATERIALIZED (
    SELECT id FROM station
    WHERE lifecycle = 'commissioned'
      AND ('*' = ${area:sqlstring} OR area IN (SELECT code FROM area WHERE path @> ARRAY[${area:sqlstring}]))),
slots AS (
    SELECT floor(extract(epoch FROM t.at) * 1000 / $__interval_ms)::bigint AS slot, false AS shown,
           (t.after = 'online')::int - (t.before = 'online')::int AS change
    FROM transition t JOIN mine ON mine.id = t.station
    WHERE t.terminal IS NULL AND t.at >= $__timeFrom()
    UNION ALL
    SELECT generate_series(
        floor(extract(epoch FROM $__timeFrom()::timestamptz) * 1000 / $__interval_ms)::bigint,
        floor(extract(epoch FROM least($__timeTo()::timestamptz, now())) * 1000 / $__interval_ms)::bigint), true, 0),
sums AS (
    SELECT slot, bool_or(shown) AS shown, sum(sum(change)) OVER (ORDER BY slot DESC) - sum(change) AS later
    FROM slots GROUP BY slot),
online AS (
    SELECT count(*) AS stations FROM station_state st JOIN mine ON mine.id = st.station WHERE st.state = 'online')
SELECT to_timestamp((slot + 1) * $__interval_ms / 1000.0) AS "time",
       ((SELECT stations FROM online) - later)::float8 / nullif((SELECT count(*) FROM mine), 0) AS share
FROM sums WHERE shown ORDER BY slot;

-- name: clocks
-- One line per shard: the age of its oldest clock, and how many partitions cannot be trusted now.
SELECT shard, count(*) AS partitions, extract(epoch FROM now() - min(known_until))::float8 AS age,
       count(*) FILTER (WHERE doubt IS NOT NULL) AS doubtful, min(doubtful_since) AS since
FROM clock_trust GROUP BY shard ORDER BY shard;

-- name: gaps
-- Time in which the pipeline was blind. All partitions of a shard are blind together, so they are one line.
SELECT shard, min(began_at) AS began, max(ended_at) AS ended,
       extract(epoch FROM max(ended_at) - min(began_at))::float8 AS lasts, reason, count(*) AS partitions
FROM pipeline_gap
WHERE began_at <= $__timeTo() AND ended_at >= $__timeFrom()
GROUP BY shard, reason, date_trunc('second', ended_at) ORDER BY ended DESC LIMIT 50;

-- name: station_now
SELECT verdict, since, coalesce(usable::text, '') AS usable, CASE WHEN verdict = 'unknown' THEN why ELSE '' END AS doubt
FROM station_verdict WHERE station = ${station:sqlstring};

-- name: station_states
-- The judged states, from the one at the beginning of the time range. Offline is dated back to the first missed heartbeat.
SELECT greatest(at, $__timeFrom()::timestamptz) AS "time",
       CASE WHEN after = 'online' AND NOT usable THEN 'unusable' ELSE after END AS state
FROM transition
WHERE station = ${station:sqlstring} AND terminal IS NULL AND at <= $__timeTo() AND seq >= coalesce((
    SELECT max(seq) FROM transition
    WHERE station = ${station:sqlstring} AND terminal IS NULL AND at <= $__timeFrom()), 0)
ORDER BY seq;

-- name: station_gaps
-- Time in which the pipeline was blind, of the shards that carried messages of the station, or that were suspected.
WITH heard AS (SELECT DISTINCT partition, shard FROM terminal_state WHERE station = ${station:sqlstring}),
blind AS (
    SELECT g.began_at, g.ended_at FROM pipeline_gap g JOIN heard USING (partition, shard)
    WHERE g.began_at <= $__timeTo() AND g.ended_at >= $__timeFrom()
    UNION ALL
    SELECT missed_at, coalesce(ended_at, now()) FROM suspicion_member
    WHERE station = ${station:sqlstring} AND missed_at <= $__timeTo()
      AND coalesce(ended_at, now()) >= $__timeFrom())
SELECT greatest(began_at, $__timeFrom()::timestamptz) AS "time", 'unknown' AS pipeline FROM blind
UNION ALL
SELECT least(ended_at, $__timeTo()::timestamptz), 'seen' FROM blind
ORDER BY 1;

-- name: station_health
-- CPU, memory and disk as fractions, a line for each terminal: the mean of each interval, for disk its maximum.
SELECT $__timeGroupAlias(ts, $__interval), terminal AS metric,
       avg(cpu)::float8 AS cpu, avg(mem)::float8 AS mem, max(disk)::float8 AS disk
FROM health
WHERE $__timeFilter(ts) AND station = ${station:sqlstring} AND time_source <> 'unknown'
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: station_link
-- The round trip to the broker and the temperature of the machine.
SELECT $__timeGroupAlias(ts, $__interval), terminal AS metric, avg(rtt_ms)::float8 AS rtt, max(temp)::float8 AS temp
FROM health
WHERE $__timeFilter(ts) AND station = ${station:sqlstring} AND time_source <> 'unknown'
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: areas
-- Areas down to the county; `*` stands for all areas.
SELECT '{everywhere}' AS __text, '*' AS __value, 0 AS depth, '' AS code
UNION ALL
SELECT repeat('  ', cardinality(path) - 1) || coalesce({name}, name), code, cardinality(path), code
FROM area WHERE cardinality(path) <= 3
ORDER BY 4, 3 LIMIT 5000;

-- name: stations
-- Stations judged offline first, because these are looked up most; typing narrows the list.
SELECT s.name || ' · ' || s.id AS __text, s.id AS __value
FROM station s LEFT JOIN station_state st ON st.station = s.id
WHERE s.lifecycle <> 'retired'
  AND ('*' = ${area:sqlstring} OR s.area IN (SELECT code FROM area WHERE path @> ARRAY[${area:sqlstring}]))
ORDER BY coalesce(st.state = 'offline', false) DESC, s.id LIMIT 2000;
