-- name: totals
-- Of the stations in the chosen area, programme and kind, in the time range.
SELECT sum(u.sessions)::float8 AS sessions, sum(u.minutes)::float8 AS minutes, sum(u.bytes)::float8 AS bytes,
       count(DISTINCT u.station) AS stations
FROM usage_day u JOIN station s ON s.id = u.station
WHERE $__timeFilter(u.began_at) AND {chosen s.id};

-- name: by_day
SELECT u.began_at AS "time", sum(u.sessions)::float8 AS sessions, sum(u.minutes)::float8 AS minutes
FROM usage_day u JOIN station s ON s.id = u.station
WHERE $__timeFilter(u.began_at) AND {chosen s.id}
GROUP BY 1 ORDER BY 1 LIMIT 5000;

-- name: by_area
-- The areas below the chosen one, those with the least use for each station first.
WITH {chosen_depth},
mine AS MATERIALIZED (
    SELECT s.id, a.path[chosen.depth + 1] AS code FROM chosen CROSS JOIN station s JOIN area a ON a.code = s.area
    WHERE s.lifecycle = 'commissioned' AND {chosen s.id} AND cardinality(a.path) > chosen.depth),
used AS (
    SELECT station, sum(sessions) AS sessions, sum(minutes) AS minutes FROM usage_day
    WHERE $__timeFilter(began_at) GROUP BY station),
parts AS (
    SELECT m.code, count(*) AS stations, coalesce(sum(u.sessions), 0)::float8 AS sessions,
           coalesce(sum(u.minutes), 0)::float8 AS minutes, count(*) - count(u.station) AS unused
    FROM mine m LEFT JOIN used u ON u.station = m.id GROUP BY m.code)
SELECT coalesce(a.{name}, a.name) AS area, stations, sessions, minutes, unused, {levels a}
FROM parts JOIN area a USING (code) ORDER BY sessions / stations, code LIMIT 500;

-- name: stations
-- The stations with the most use.
SELECT most.station, s.name, most.sessions, most.minutes, most.bytes
FROM (SELECT u.station, sum(u.sessions)::float8 AS sessions, sum(u.minutes)::float8 AS minutes, sum(u.bytes)::float8 AS bytes
      FROM usage_day u JOIN station s ON s.id = u.station
      WHERE $__timeFilter(u.began_at) AND {chosen s.id}
      GROUP BY u.station ORDER BY sessions DESC, u.station LIMIT 100) AS most
JOIN station s ON s.id = most.station ORDER BY most.sessions DESC, most.station;
