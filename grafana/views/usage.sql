-- name: totals
-- Of the stations in the chosen area, programme and kind, in the time range.
WITH {use}
SELECT sum(u.sessions)::float8 AS sessions, sum(u.minutes)::float8 AS minutes, sum(u.bytes)::float8 AS bytes,
       (SELECT count(*) FROM station s
        WHERE {chosen s.id} AND s.id IN (SELECT m.station FROM usage_month m WHERE {used m})) AS stations
FROM use u;

-- name: by_day
WITH {use}
SELECT u.day::timestamp AT TIME ZONE 'UTC' AS "time", sum(u.sessions)::float8 AS sessions, sum(u.minutes)::float8 AS minutes
FROM use u GROUP BY u.day ORDER BY u.day LIMIT 5000;

-- name: by_area
-- The areas below the chosen one, those with the least use for each station in service first.
WITH {chosen_depth}, {use},
mine AS (
    SELECT s.area, count(*) AS stations FROM station s WHERE s.lifecycle = 'commissioned' AND {chosen s.id} GROUP BY s.area),
used AS (
    SELECT s.area, count(*) AS stations FROM station s
    WHERE s.lifecycle = 'commissioned' AND {chosen s.id} AND s.id IN (SELECT m.station FROM usage_month m WHERE {used m})
    GROUP BY s.area),
summed AS (
    SELECT area, sum(sessions) AS sessions, sum(minutes) AS minutes FROM use GROUP BY area),
parts AS (
    SELECT a.path[chosen.depth + 1] AS code, sum(m.stations)::bigint AS stations,
           coalesce(sum(u.sessions), 0)::float8 AS sessions, coalesce(sum(u.minutes), 0)::float8 AS minutes,
           sum(m.stations - coalesce(used.stations, 0))::bigint AS unused
    FROM chosen CROSS JOIN mine m JOIN area a ON a.code = m.area LEFT JOIN summed u ON u.area = m.area LEFT JOIN used ON used.area = m.area
    WHERE cardinality(a.path) > chosen.depth GROUP BY 1)
SELECT coalesce(a.{name}, a.name) AS area, stations, sessions, minutes, unused, {levels a}
FROM parts JOIN area a USING (code) ORDER BY sessions / stations, code LIMIT 500;

-- name: stations
-- The stations with the most use; only these are looked up by day. Months are made narrow before they are put together (OFFSET 0), and
-- numbers of sessions are whole numbers below 2^53.
WITH most AS MATERIALIZED (
    SELECT station, sum(sessions) AS sessions
    FROM (SELECT m.station, ({sessions m})::float8 AS sessions
          FROM station s JOIN usage_month m ON m.station = s.id WHERE {used m} AND {chosen s.id} OFFSET 0) AS each
    GROUP BY station ORDER BY 2 DESC, 1 LIMIT 100)
SELECT most.station, s.name, most.sessions, u.minutes, u.bytes
FROM most JOIN station s ON s.id = most.station
CROSS JOIN LATERAL (
    SELECT sum(u.minutes)::float8 AS minutes, sum(u.bytes)::float8 AS bytes FROM usage_day u
    WHERE u.station = most.station AND $__timeFilter(u.began_at)) AS u
ORDER BY most.sessions DESC, most.station;
