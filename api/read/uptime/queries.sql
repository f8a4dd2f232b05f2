-- name: kept_days_state
-- Which days are kept.
SELECT first_day, last_day FROM day_state WHERE last_day >= first_day;

-- name: frozen_months_of
-- When the months of a period ($1: first day, $2: the day after the last one) were frozen.
SELECT month, frozen_at FROM month_frozen WHERE month >= $1 AND month < $2 ORDER BY month;

-- name: days_of_station
-- Every revision of every day of a station in a period.
SELECT day, revision, scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms, causes, addendum, recorded_at
FROM station_day_revision WHERE station = $1 AND day >= $2 AND day < $3 ORDER BY day, revision;

-- name: days_of_areas
-- The sums of days over areas ($1; null: all) and all below them, by day and by the area below ($2: how deep it lies).
SELECT day, path[$2 + 1] AS part, sum(scheduled_ms)::bigint AS scheduled_ms, sum(excused_ms)::bigint AS excused_ms,
       sum(unknown_ms)::bigint AS unknown_ms, sum(online_ms)::bigint AS online_ms,
       sum(service_due_ms)::bigint AS service_due_ms, sum(usable_ms)::bigint AS usable_ms
FROM area_day WHERE day >= $3 AND day < $4 AND ($1::text[] IS NULL OR path && $1) GROUP BY 1, 2 ORDER BY 1, 2;

-- name: frozen_of_areas
-- The same of frozen months.
SELECT month AS day, path[$2 + 1] AS part, sum(scheduled_ms)::bigint AS scheduled_ms, sum(excused_ms)::bigint AS excused_ms,
       sum(unknown_ms)::bigint AS unknown_ms, sum(online_ms)::bigint AS online_ms,
       sum(service_due_ms)::bigint AS service_due_ms, sum(usable_ms)::bigint AS usable_ms
FROM area_month WHERE month >= $3 AND month < $4 AND ($1::text[] IS NULL OR path && $1) GROUP BY 1, 2 ORDER BY 1, 2;

-- name: has_station
SELECT EXISTS (SELECT FROM station WHERE id = $1);

-- name: stations_of_period
-- The sums over a period ($3 to before $4) of stations that are in some areas ($1; null: all), in the order of their ids after $2;
-- of each its days in the areas ($5: the codes asked for). At most $6. Station by station: a join would read all days of all stations.
SELECT s.id AS station, s.name, s.name_en, s.area, d.scheduled_ms, d.excused_ms, d.unknown_ms, d.online_ms, d.service_due_ms, d.usable_ms
FROM (SELECT id, name, name_en, area FROM station
      WHERE ($1::text[] IS NULL OR area = ANY ($1)) AND id > $2 ORDER BY id LIMIT $6) AS s
LEFT JOIN LATERAL (
    SELECT sum(scheduled_ms)::bigint AS scheduled_ms, sum(excused_ms)::bigint AS excused_ms, sum(unknown_ms)::bigint AS unknown_ms,
           sum(online_ms)::bigint AS online_ms, sum(service_due_ms)::bigint AS service_due_ms, sum(usable_ms)::bigint AS usable_ms
    FROM station_day WHERE station = s.id AND day >= $3 AND day < $4 AND ($5::text[] IS NULL OR path && $5)
) AS d ON true ORDER BY s.id;
