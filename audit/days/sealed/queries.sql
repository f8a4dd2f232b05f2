-- name: areas_of_day
-- The areas with direct stations on a day ($1), as paths with all areas above.
SELECT path FROM area_day WHERE day = $1 ORDER BY path;

-- name: areas_of_days
-- The same for the days $1 to $2, for an area and all areas below it ($3; null: all areas).
SELECT day, path FROM area_day WHERE day BETWEEN $1 AND $2 AND ($3::text IS NULL OR $3 = ANY (path)) ORDER BY day, path;

-- name: revised_areas
-- The areas for which days of stations ($1, $2) count or once counted.
SELECT DISTINCT r.day, r.path FROM unnest($1::text[], $2::date[]) AS n (station, day)
CROSS JOIN LATERAL (SELECT day, path FROM station_day_revision WHERE station = n.station AND day = n.day OFFSET 0) AS r
WHERE cardinality(r.path) > 0 ORDER BY r.day, r.path;

-- name: groups_of_areas
-- Stations that share their figures on a day ($1), by area and figures, of these areas ($2).
SELECT m.path, d.scheduled_ms, d.excused_ms, d.unknown_ms, d.online_ms, d.service_due_ms, d.usable_ms, m.stations
FROM (
    SELECT m.path, m.share, array_agg(m.station) AS stations
    FROM (SELECT string_to_array(path, '/') AS path FROM unnest($2::text[]) AS path) AS w JOIN day_member m USING (path)
    WHERE m.since <= $1 AND (m.until IS NULL OR m.until > $1) GROUP BY m.path, m.share
) AS m JOIN share_day d ON d.share = m.share AND d.day = $1;

-- name: lines_of_areas
-- All revisions of a day ($1) of stations that have a line of their own in one of these areas ($2), or that left the
-- shared figures of such an area for a line in another area.
WITH wanted AS (
    SELECT string_to_array(path, '/') AS path FROM unnest($2::text[]) AS path
), own AS (
    SELECT f.station FROM wanted w JOIN day_figure f ON f.day = $1 AND f.path = w.path
    UNION
    SELECT f.station FROM day_figure f JOIN day_member m ON m.station = f.station AND m.since <= $1 AND (m.until IS NULL OR m.until > $1)
    WHERE f.day = $1 AND f.revision > 1 AND m.path IN (SELECT path FROM wanted)
)
SELECT r.station, r.revision, r.path, r.causes, r.addendum,
       r.scheduled_ms, r.excused_ms, r.unknown_ms, r.online_ms, r.service_due_ms, r.usable_ms
-- One station at a time: joined as a whole, the view reads all spells that stations ever had.
FROM own CROSS JOIN LATERAL (SELECT * FROM station_day_revision WHERE station = own.station AND day = $1 OFFSET 0) AS r;

-- name: frozen_figures
-- The figures of a frozen month ($1).
SELECT path, scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms
FROM area_month WHERE month = $1 ORDER BY path;

-- name: months_between
-- The frozen months from $1 to $2.
SELECT month FROM month_frozen WHERE month BETWEEN $1 AND $2 ORDER BY month;

-- name: entries_of
-- The bodies of entries of some subjects ($1) and kinds ($2), the newest first.
SELECT e.subject, e.body FROM unnest($1::text[]) AS s (subject) JOIN ledger_entry e USING (subject)
WHERE e.kind = ANY ($2::text[]) ORDER BY e.id DESC;

-- name: entries_of_areas
-- The bodies of entries of a kind of subject ($1) and a time ($2) about all areas that there ever were, the newest first.
SELECT e.subject, e.body FROM (SELECT DISTINCT subject AS area FROM registry_fact WHERE kind = 'area') AS a
JOIN ledger_entry e ON e.subject = $1 || '/' || a.area || '/' || $2 WHERE e.kind = ANY ($3::text[]) ORDER BY e.id DESC;

-- name: restore_frozen
-- Write the frozen figures of an area ($2) in a month ($1) that do not exist, of a month that is frozen.
INSERT INTO area_month (month, area, path, scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms)
SELECT month, $2, $3::text[], $4, $5, $6, $7, $8, $9 FROM month_frozen WHERE month = $1 ON CONFLICT DO NOTHING;

-- name: kept_until
-- How far days are kept, and from which day on all their sources exist, as lock_state says.
SELECT cut, first_day, last_day, days_with_sources() AS sources_from FROM day_state;

-- name: stations_of_figures
-- Stations with kept days from $1 to $2, in the order of their ids; $3: only stations in this area or below it (null:
-- all).
SELECT station FROM day_figure WHERE day BETWEEN $1 AND $2 AND ($3::text IS NULL OR $3 = ANY (path))
UNION
SELECT station FROM day_member WHERE since <= $2 AND (until IS NULL OR until > $1) AND ($3::text IS NULL OR $3 = ANY (path))
ORDER BY station;

-- name: waiting_figures
-- Entries about figures that wait for their seal.
SELECT DISTINCT e.subject FROM ledger_pending p JOIN ledger_entry e USING (id)
WHERE e.kind IN ('days.closed', 'days.revised', 'month.frozen') ORDER BY e.subject;

-- name: unsealed_figures
-- Entries about the days $1 to $2 and their months, of an area and all areas below it ($3; null: all), that a log of $4
-- leaves does not have.
SELECT DISTINCT s.subject FROM area_day a CROSS JOIN LATERAL (VALUES
    (format('area_day/%s/%s', a.area, a.day)), (format('area_month/%s/%s', a.area, to_char(a.day, 'YYYY-MM')))) AS s (subject)
JOIN ledger_entry e ON e.subject = s.subject
WHERE a.day BETWEEN $1 AND $2 AND ($3::text IS NULL OR $3 = ANY (a.path))
  AND coalesce(leaf_of_entry(e.id) >= $4::bigint, true)
ORDER BY s.subject;
