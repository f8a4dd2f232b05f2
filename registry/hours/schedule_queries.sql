-- name: own_schedules
-- The stations among $1 that already have a schedule of their own.
SELECT DISTINCT station FROM schedule WHERE station = ANY ($1::text[]);

-- name: put_schedules
-- Of several changes on one day the last one counts.
INSERT INTO schedule AS s (station, valid_from, rules, timezone, recorded_by)
SELECT station, valid_from, rules, timezone, $5
FROM unnest($1::text[], $2::date[], $3::text[], $4::text[]) AS new (station, valid_from, rules, timezone)
ON CONFLICT (station, valid_from) WHERE station IS NOT NULL DO UPDATE SET
    rules = excluded.rules, timezone = excluded.timezone, recorded_by = excluded.recorded_by, recorded_at = now()
WHERE (s.rules, s.timezone) IS DISTINCT FROM (excluded.rules, excluded.timezone);

-- name: load_kind_schedules
SELECT kind, valid_from, rules FROM schedule WHERE kind IS NOT NULL;

-- name: put_kind_schedules
INSERT INTO schedule (kind, valid_from, rules, timezone, recorded_by)
SELECT kind, valid_from, rules, timezone, $5
FROM unnest($1::text[], $2::date[], $3::text[], $4::text[]) AS new (kind, valid_from, rules, timezone)
ON CONFLICT (kind, valid_from) WHERE kind IS NOT NULL DO UPDATE SET
    rules = excluded.rules, timezone = excluded.timezone, recorded_by = excluded.recorded_by, recorded_at = now();

-- name: load_overrides
SELECT station, kind, area, from_day AS first, to_day AS last, rules, reason FROM schedule_override;

-- name: put_overrides
INSERT INTO schedule_override (station, kind, area, from_day, to_day, rules, reason, recorded_by)
SELECT new.*, $8
FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::date[], $6::text[], $7::text[]) AS new
ON CONFLICT (station, kind, area, from_day, to_day) DO UPDATE SET
    rules = excluded.rules, reason = excluded.reason, recorded_by = excluded.recorded_by, recorded_at = now();

-- name: load_days
SELECT day, class AS day_class, name AS title FROM day_class;

-- name: put_days
INSERT INTO day_class (day, class, name) SELECT * FROM unnest($1::date[], $2::text[], $3::text[])
ON CONFLICT (day) DO UPDATE SET class = excluded.class, name = excluded.name;
