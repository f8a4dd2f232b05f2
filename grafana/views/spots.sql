-- name: by_kind
-- The open blind spots by kind, a column each.
SELECT count(*) FILTER (WHERE i.detail ->> 'kind' = 'uncovered') AS uncovered,
       count(*) FILTER (WHERE i.detail ->> 'kind' = 'dark') AS dark,
       count(*) FILTER (WHERE i.detail ->> 'kind' = 'shut') AS shut,
       count(*) FILTER (WHERE i.detail ->> 'kind' = 'idle') AS idle,
       count(*) FILTER (WHERE i.detail ->> 'kind' = 'stale') AS stale,
       count(*) FILTER (WHERE i.detail ->> 'kind' = 'no_wifi') AS no_wifi,
       count(*) FILTER (WHERE i.detail ->> 'kind' = 'area_dark') AS area_dark
FROM incident i WHERE i.kind = 'blind_spot' AND i.status <> 'closed' AND {in_area i.area};

-- name: open
-- The open blind spots; areas first, because each stands for all its stations.
SELECT i.detail ->> 'kind' AS spot, coalesce((SELECT coalesce(a.{name}, a.name) FROM area a WHERE a.code = i.area), i.area) AS area,
       i.station, (SELECT s.name FROM station s WHERE s.id = i.station) AS name,
       i.began_at AS since, extract(epoch FROM now() - i.began_at)::float8 AS lasts, i.detail ->> 'clears' AS clears
FROM (SELECT * FROM incident i
      WHERE i.kind = 'blind_spot' AND i.status <> 'closed' AND {in_area i.area}
      ORDER BY i.station IS NOT NULL, i.began_at, i.id LIMIT 500) AS i
ORDER BY i.station IS NOT NULL, i.began_at, i.id;

-- name: removed
-- Blind spots that began, and those that ended, on each day.
SELECT date_trunc('day', moment, '{zone}') AS "time", sum(began)::float8 AS began_spots, sum(gone)::float8 AS removed_spots
FROM (SELECT i.began_at AS moment, 1 AS began, 0 AS gone FROM incident i
      WHERE i.kind = 'blind_spot' AND $__timeFilter(i.began_at) AND {in_area i.area}
      UNION ALL
      SELECT i.ended_at, 0, 1 FROM incident i
      WHERE i.kind = 'blind_spot' AND i.status = 'closed' AND $__timeFilter(i.ended_at) AND {in_area i.area}) AS each
GROUP BY 1 ORDER BY 1 LIMIT 5000;

-- name: programmes
-- The stations of each programme in the area, and how many of them work.
WITH down AS MATERIALIZED (
    SELECT v.station FROM station_verdict v
    WHERE v.verdict IN ('offline', 'unusable', 'away') AND {can_be_down v} AND {in_area v.area})
SELECT coalesce(p.name, p.id) AS programme, count(*) AS stations, count(d.station) AS down,
       1 - count(d.station)::float8 / count(*) AS not_down
FROM programme p JOIN station_programme x ON x.programme = p.id JOIN station s ON s.id = x.station
LEFT JOIN down d ON d.station = s.id
WHERE s.lifecycle = 'commissioned' AND {in_area s.area}
GROUP BY p.id, p.name ORDER BY p.id LIMIT 200;
