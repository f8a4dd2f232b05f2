-- name: now
-- Whether visitors can use it is said only of a station that is online: for another it is what was true before.
SELECT verdict, since, CASE WHEN verdict IN ('online', 'unusable') THEN coalesce(usable::text, '') ELSE '' END AS usable,
       CASE WHEN verdict = 'unknown' THEN why ELSE '' END AS doubt
FROM station_verdict WHERE station = ${station:sqlstring};

-- name: states
-- The judged states, from the one at the beginning of the time range. Offline is dated back to the first missed heartbeat.
SELECT greatest(at, $__timeFrom()::timestamptz) AS "time",
       CASE WHEN after = 'online' AND NOT usable THEN 'unusable' ELSE after END AS state
FROM transition
WHERE station = ${station:sqlstring} AND terminal IS NULL AND at <= $__timeTo() AND seq >= coalesce((
    SELECT max(seq) FROM transition
    WHERE station = ${station:sqlstring} AND terminal IS NULL AND at <= $__timeFrom()), 0)
ORDER BY seq LIMIT 5000;

-- name: gaps
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
ORDER BY 1 LIMIT 5000;

-- name: health
-- CPU, memory and disk as fractions, a line for each terminal: the mean of each interval, for disk its maximum.
SELECT $__timeGroupAlias(ts, $__interval), terminal AS metric,
       avg(cpu)::float8 AS cpu, avg(mem)::float8 AS mem, max(disk)::float8 AS disk
FROM health
WHERE $__timeFilter(ts) AND station = ${station:sqlstring} AND time_source <> 'unknown'
GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 5000;

-- name: link
-- The round trip to the broker and the temperature of the machine.
SELECT $__timeGroupAlias(ts, $__interval), terminal AS metric, avg(rtt_ms)::float8 AS rtt, max(temp)::float8 AS temp
FROM health
WHERE $__timeFilter(ts) AND station = ${station:sqlstring} AND time_source <> 'unknown'
GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 5000;

-- name: usage
-- Sessions and minutes of each hour, of all terminals.
SELECT began_at AS "time", sum(sessions)::float8 AS sessions, sum(minutes)::float8 AS minutes
FROM usage_hour WHERE $__timeFilter(began_at) AND station = ${station:sqlstring}
GROUP BY 1 ORDER BY 1 LIMIT 5000;

-- name: days
-- The audited figures of each local day, in their newest revision.
SELECT to_char(d.day, 'YYYY-MM-DD') AS day, {rates d}, sum(d.unknown_ms)::float8 / 3600000 AS unknown_h,
       sum(d.excused_ms)::float8 / 3600000 AS excused_h, d.revision
FROM station_day d
WHERE d.station = ${station:sqlstring} AND d.day BETWEEN {first_day} AND {last_day}
GROUP BY d.day, d.revision ORDER BY d.day DESC LIMIT 400;

-- name: incidents
SELECT id, kind, status, began_at AS began, ended_at AS ended,
       coalesce(assignee, acknowledged_remark, acknowledged_by) AS owner
FROM incident WHERE station = ${station:sqlstring} AND began_at <= $__timeTo() AND coalesce(ended_at, now()) >= $__timeFrom()
ORDER BY began_at DESC, id DESC LIMIT 200;

-- name: repairs
-- What people did at the station, and whether it held.
SELECT r.incident AS id, r.at AS began, coalesce(r.made_by, r.remark) AS made_by, r.cause, r.outcome, r.outcome_at AS ended
FROM repair r JOIN incident i ON i.id = r.incident
WHERE i.station = ${station:sqlstring} ORDER BY r.at DESC LIMIT 100;

-- name: terminals
SELECT t.id AS terminal, t.type, st.state, st.seen_at AS seen, f.agent, v.model, v.os, to_char(t.refresh_due, 'YYYY-MM-DD') AS refresh
FROM terminal t
LEFT JOIN terminal_state st ON st.station = t.station AND st.terminal = t.id
LEFT JOIN terminal_facts f ON f.station = t.station AND f.terminal = t.id
LEFT JOIN LATERAL (SELECT model, os FROM inventory n WHERE n.station = t.station AND n.terminal = t.id
                   ORDER BY ts DESC LIMIT 1) AS v ON true
WHERE t.station = ${station:sqlstring} ORDER BY t.id LIMIT 200;
