-- name: area_names
-- The names of areas ($1: codes).
SELECT code, name, name_en FROM area WHERE code = ANY ($1::text[]);

-- name: station_of_report
-- The names of a station ($1) and of its area.
SELECT s.name, s.name_en, a.name AS area_name, a.name_en AS area_name_en
FROM station s LEFT JOIN area a ON a.code = s.area WHERE s.id = $1;

-- name: incidents_of_stations
-- For stations ($1), the number of incidents that began in a span ($2 to before $3), and the newest cause of each
-- incident.
SELECT i.station, count(*)::int AS incidents,
       coalesce(array_agg(DISTINCT r.cause ORDER BY r.cause) FILTER (WHERE r.cause IS NOT NULL), '{}') AS causes
FROM incident i
LEFT JOIN LATERAL (SELECT cause FROM repair WHERE incident = i.id ORDER BY id DESC LIMIT 1) AS r ON true
WHERE i.station = ANY ($1::text[]) AND i.began_at >= $2 AND i.began_at < $3 GROUP BY i.station;

-- name: incidents_of_station
-- The incidents of a station ($1) that began in a span ($2 to before $3), with their newest causes. At most $4.
SELECT i.id, i.kind, i.began_at, i.closed_at,
       (SELECT cause FROM repair WHERE incident = i.id ORDER BY id DESC LIMIT 1) AS cause
FROM incident i WHERE i.station = $1 AND i.began_at >= $2 AND i.began_at < $3 ORDER BY i.began_at, i.id LIMIT $4;

-- name: days_with_sources
-- The first day of which no source is deleted; null: none ever was.
SELECT days_with_sources();

-- name: targets_of_areas
-- The targets whose areas all lie in some areas ($1; null: all targets) or below them. At most $2.
SELECT id, programme, name, metric, areas, level, threshold, deadline, language FROM target
WHERE $1::text[] IS NULL OR areas <@ ARRAY(SELECT areas_below($1))
ORDER BY id COLLATE "C" LIMIT $2;

-- name: has_more_stations
-- Whether there are more than so many stations ($1).
SELECT EXISTS (SELECT FROM station OFFSET $1);
