-- name: lock_calendars
-- One refresh at a time; held until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('milepost calendars', 0));

-- name: opening_sources
-- One row for all stations with the same openings: one of them, and the calendars that they have now; $1 null: of all
-- stations.
SELECT source, min(station) AS station, count(*) AS stations, count(calendar) AS placed, min(calendar) AS least,
       max(calendar) AS greatest
FROM station_opening_source
WHERE $1::text[] IS NULL OR station = ANY ($1)
GROUP BY source;

-- name: load_schedules
-- Of some stations and of all kinds.
SELECT station, kind, valid_from, rules, timezone FROM schedule
WHERE station = ANY ($1::text[]) OR kind IS NOT NULL ORDER BY valid_from;

-- name: load_overrides
-- Of some stations, and all overrides of kinds, areas and everywhere; the least specific first, of equals the oldest.
SELECT o.station, o.kind, o.area, o.from_day AS first, o.to_day AS last, o.rules
FROM schedule_override o LEFT JOIN area a ON a.code = o.area
WHERE o.station IS NULL OR o.station = ANY ($1::text[])
ORDER BY o.station IS NOT NULL, o.kind IS NOT NULL, coalesce(cardinality(a.path), 0), o.id;

-- name: load_places
-- What schedules and overrides may name a station by: its id, its kind, its area and the areas above.
SELECT s.id AS station, s.kind, coalesce(a.path, '{}') AS path
FROM station s LEFT JOIN area a ON a.code = s.area WHERE s.id = ANY ($1::text[]);

-- name: load_day_classes
SELECT day, class FROM day_class;

-- name: load_calendars
SELECT id, key, definition, filled_from, filled_to, classes FROM calendar;

-- name: add_calendars
INSERT INTO calendar (key, definition, filled_from, filled_to, classes)
SELECT key, definition::jsonb, $3, $3, '' FROM unnest($1::text[], $2::text[]) AS new (key, definition)
ON CONFLICT (key) DO NOTHING;

-- name: set_calendars
-- Rows are locked in the order of ids, as imports do: no deadlock. Null takes the calendar away.
WITH moved AS (
    SELECT s.id, new.calendar
    FROM station_opening_source src
    JOIN station s ON s.id = src.station
    LEFT JOIN unnest($1::text[], $2::bigint[]) AS new (source, calendar) ON new.source = src.source
    WHERE ($3::text[] IS NULL OR src.station = ANY ($3))
      AND (src.source IS NULL OR new.source IS NOT NULL)
      AND src.calendar IS DISTINCT FROM new.calendar
    ORDER BY s.id FOR NO KEY UPDATE OF s)
UPDATE station SET calendar = moved.calendar FROM moved WHERE station.id = moved.id;

-- name: unused_calendars
DELETE FROM calendar WHERE NOT EXISTS (SELECT FROM station WHERE station.calendar = calendar.id);

-- name: load_openings
SELECT calendar, opens_at, closes_at FROM calendar_opening WHERE calendar = ANY ($1::bigint[]);

-- name: drop_openings
DELETE FROM calendar_opening AS o USING unnest($1::bigint[], $2::timestamptz[]) AS old (calendar, opens_at)
WHERE o.calendar = old.calendar AND o.opens_at = old.opens_at;

-- name: add_openings
INSERT INTO calendar_opening (calendar, opens_at, closes_at)
SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]);

-- name: mark_filled
UPDATE calendar SET filled_from = $3, filled_to = $4, classes = $5, provisional = new.provisional
FROM unnest($1::bigint[], $2::bool[]) AS new (id, provisional) WHERE calendar.id = new.id;

-- name: count_provisional
SELECT count(*) FROM calendar WHERE provisional;

-- name: moment
-- The time, and a transaction number: a change of the registry that commits later has this number or a higher one.
SELECT now() AS now, pg_snapshot_xmin(pg_current_snapshot())::text AS horizon;

-- name: changed_stations
SELECT id FROM station WHERE changed_xid >= $1::text::xid8 LIMIT $2;
