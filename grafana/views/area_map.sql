-- name: areas
-- The areas below the chosen one at the middle of their stations: how many stations, and which share of those of which
-- the platform knows the state is not down.
WITH {chosen_depth}, {counted_below},
places AS (
    SELECT area, count(lat) AS lats, sum(lat) AS lat, count(lon) AS lons, sum(lon) AS lon
    FROM station s WHERE lifecycle = 'commissioned' AND {chosen s.id} GROUP BY area),
middle AS (
    SELECT a.path[chosen.depth + 1] AS code, sum(p.lat) / nullif(sum(p.lats), 0) AS latitude,
           sum(p.lon) / nullif(sum(p.lons), 0) AS longitude
    FROM chosen CROSS JOIN places p JOIN area a ON a.code = p.area WHERE cardinality(a.path) > chosen.depth GROUP BY 1)
SELECT coalesce(a.{name}, a.name) AS name, m.latitude::float8 AS latitude, m.longitude::float8 AS longitude, c.stations, c.down,
       1 - c.down::float8 / nullif(c.stations - c.unknown, 0) AS not_down
FROM counted c JOIN middle m USING (code) JOIN area a USING (code)
WHERE m.latitude IS NOT NULL AND c.stations > 0 ORDER BY c.down DESC, c.code LIMIT 1000;

-- name: down
-- The stations that are down now, each at its place: the 2,000 worst, the worst last, because the last are drawn on top.
SELECT worst.*
FROM (SELECT v.station, v.name, v.lat AS latitude, v.lon AS longitude, v.verdict, v.since,
             extract(epoch FROM now() - v.since)::float8 AS lasts
      FROM station_verdict v
      WHERE v.verdict IN ('offline', 'unusable', 'away') AND v.lat IS NOT NULL AND v.lon IS NOT NULL
        AND {can_be_down v} AND {chosen v}
      ORDER BY array_position(ARRAY['offline', 'unusable', 'away'], v.verdict), v.since, v.station LIMIT 2000) AS worst
ORDER BY array_position(ARRAY['away', 'unusable', 'offline'], worst.verdict), worst.since DESC, worst.station;

-- name: nowhere
-- The stations that a map cannot show, because their place is not in the registry.
SELECT count(*) AS stations FROM station v
WHERE lifecycle <> 'retired' AND (lat IS NULL OR lon IS NULL) AND {chosen v.id};
