-- name: area_names
-- The names of areas ($1: codes).
SELECT code, name, name_en FROM area WHERE code = ANY ($1::text[]);

-- name: station_of_report
-- The names of a station ($1) and of its area.
SELECT s.name, s.name_en, a.name AS area_name, a.name_en AS area_name_en
FROM station s LEFT JOIN area a ON a.code = s.area WHERE s.id = $1;

-- name: incidents_of_stations
-- For stations ($1), the number of incidents that began in a span ($2 to before $3), the newest cause of each incident, and
-- how many have none.
SELECT i.station, count(*)::int AS incidents, count(*) FILTER (WHERE r.cause IS NULL)::int AS unexplained,
       coalesce(array_agg(DISTINCT r.cause ORDER BY r.cause) FILTER (WHERE r.cause IS NOT NULL), '{}') AS causes
FROM incident i
LEFT JOIN LATERAL (SELECT cause FROM repair WHERE incident = i.id ORDER BY id DESC LIMIT 1) AS r ON true
WHERE i.station = ANY ($1::text[]) AND i.began_at >= $2 AND i.began_at < $3 GROUP BY i.station;

-- name: lost_days_of_stations
-- For stations ($1) that lost time: how many days of a period ($2 to before $3) in the areas ($4; null: all) lost a minute or
-- more, and the worst of them ($5: how many).
SELECT s.station, d.number, d.days, d.lost FROM unnest($1::text[]) AS s (station)
CROSS JOIN LATERAL (
    SELECT max(number)::int AS number, array_agg(day ORDER BY lost_ms DESC, day) AS days,
           array_agg(lost_ms ORDER BY lost_ms DESC, day) AS lost
    FROM (
        SELECT day, lost_ms, count(*) OVER () AS number FROM (
            SELECT day, greatest(scheduled_ms - excused_ms - unknown_ms - online_ms, service_due_ms - usable_ms) AS lost_ms
            FROM station_day WHERE station = s.station AND day >= $2 AND day < $3 AND ($4::text[] IS NULL OR path && $4)
        ) AS each WHERE lost_ms >= 60000 ORDER BY lost_ms DESC, day LIMIT $5
    ) AS worst
) AS d WHERE d.number > 0;

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
