-- name: area_levels
-- The areas of some levels ($1).
SELECT code, level FROM area WHERE level = ANY ($1::text[]);

-- name: station_ids
-- The ids of stations after one ($1), at most $2.
SELECT id FROM station WHERE id > $1 ORDER BY id LIMIT $2;

-- name: figures_of_stations
-- The figures of stations ($1) over local days ($2 to before $3), as they stand.
SELECT coalesce(sum(scheduled_ms), 0)::bigint AS scheduled_ms, coalesce(sum(excused_ms), 0)::bigint AS excused_ms,
       coalesce(sum(unknown_ms), 0)::bigint AS unknown_ms, coalesce(sum(online_ms), 0)::bigint AS online_ms,
       coalesce(sum(service_due_ms), 0)::bigint AS service_due_ms, coalesce(sum(usable_ms), 0)::bigint AS usable_ms
FROM station_day WHERE station = ANY ($1::text[]) AND day >= $2 AND day < $3;

-- name: sessions_of_stations
-- Visits of stations ($1) over local days ($2 to before $3, by the time of China); null: no record counts visits.
SELECT sum(sessions)::bigint AS sessions FROM usage_hour
WHERE station = ANY ($1::text[]) AND began_at >= $2::timestamp AT TIME ZONE 'Asia/Shanghai'
  AND began_at < $3::timestamp AT TIME ZONE 'Asia/Shanghai';
