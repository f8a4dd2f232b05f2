-- name: areas
-- The areas below the chosen one at the middle of their stations: how many stations, and which share of them is down.
WITH {chosen_depth},
counted AS (
    SELECT a.path[chosen.depth + 1] AS code, avg(v.lat) AS latitude, avg(v.lon) AS longitude, count(*) AS stations,
           count(*) FILTER (WHERE v.verdict IN ('offline', 'unusable', 'away')) AS down
    FROM chosen CROSS JOIN station_verdict v JOIN area a ON a.code = v.area
    WHERE v.lifecycle = 'commissioned' AND {chosen v} AND cardinality(a.path) > chosen.depth
    GROUP BY 1)
SELECT coalesce(a.{name}, a.name) AS name, c.latitude, c.longitude, c.stations, c.down,
       1 - c.down::float8 / c.stations AS share
FROM counted c JOIN area a USING (code) WHERE c.latitude IS NOT NULL ORDER BY c.down DESC, c.code LIMIT 1000;

-- name: down
-- The stations that are down now, each at its place: the 2,000 worst, the worst last, because the last are drawn on top.
SELECT worst.*
FROM (SELECT v.station, v.name, v.lat AS latitude, v.lon AS longitude, v.verdict, v.since,
             extract(epoch FROM now() - v.since)::float8 AS lasts
      FROM station_verdict v
      WHERE v.verdict IN ('offline', 'unusable', 'away') AND v.lat IS NOT NULL AND v.lon IS NOT NULL
        AND v.station IN (SELECT station FROM station_state WHERE state IN ('offline', 'away') OR state = 'online' AND NOT usable)
        AND {chosen v}
      ORDER BY array_position(ARRAY['offline', 'unusable', 'away'], v.verdict), v.since, v.station LIMIT 2000) AS worst
ORDER BY array_position(ARRAY['away', 'unusable', 'offline'], worst.verdict), worst.since DESC, worst.station;

-- name: nowhere
-- The stations that a map cannot show, because their place is not in the registry.
SELECT count(*) AS stations FROM station v
WHERE lifecycle <> 'retired' AND (lat IS NULL OR lon IS NULL) AND {chosen v.id};
