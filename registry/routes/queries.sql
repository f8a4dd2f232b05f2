-- name: load_routes
-- Every route that applies in the scope.
SELECT id, name, area, kinds, severities, programme, station_kind, steps, tell_past FROM route
WHERE $1::text[] IS NULL OR id = ANY ($1) ORDER BY id COLLATE "C";

-- name: put_routes
-- A route that changes nothing is not written. `made`: it was not there before.
INSERT INTO route AS r (id, name, area, kinds, severities, programme, station_kind, steps, tell_past, edited_by)
SELECT id, name, area, string_to_array(kinds, ','), string_to_array(severities, ','), programme, station_kind, steps, tell_past, $10
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[], $9::boolean[])
    AS new (id, name, area, kinds, severities, programme, station_kind, steps, tell_past)
ON CONFLICT (id) DO UPDATE
    SET name = excluded.name, area = excluded.area, kinds = excluded.kinds, severities = excluded.severities,
        programme = excluded.programme, station_kind = excluded.station_kind, steps = excluded.steps,
        tell_past = excluded.tell_past, edited_by = excluded.edited_by, edited_at = now()
    WHERE (r.name, r.area, r.kinds, r.severities, r.programme, r.station_kind, r.steps, r.tell_past) IS DISTINCT FROM
          (excluded.name, excluded.area, excluded.kinds, excluded.severities, excluded.programme, excluded.station_kind,
           excluded.steps, excluded.tell_past)
RETURNING id, xmax = 0 AS made;

-- name: known_places
-- Which of these areas the scope names: a foreign key does not look at the scope.
SELECT code FROM area WHERE code = ANY ($1::text[]);

-- name: known_levels
-- The levels that the tree has: a step at another one reaches nobody.
SELECT DISTINCT level FROM area;

-- name: remove_routes
DELETE FROM route WHERE id = ANY ($1::text[]) RETURNING id;

-- name: has_default_route
-- Whether a route takes every incident, wherever it is.
SELECT EXISTS (SELECT FROM route WHERE area IS NULL AND kinds = '{}' AND severities = '{}'
               AND programme IS NULL AND station_kind IS NULL);

-- name: seen_scope
-- The areas to which policies limit what this connection sees; NULL: it sees everything.
SELECT CASE WHEN row_security_active('contact') AND NOT scope_is_whole()
            AND coalesce(pg_has_role(to_regrole('milepost_api'), 'MEMBER'), false)
       THEN scope_codes() END;

-- name: load_place
-- The path of an area and the level of each area on it, for a question about an incident there.
SELECT a.code, a.level FROM area a
WHERE a.code = ANY (SELECT unnest(path) FROM area WHERE code = $1) ORDER BY cardinality(a.path);

-- name: load_station_place
-- Area, kind and programmes of a station, for a question about an incident of it.
SELECT s.area, s.kind, array(SELECT programme FROM station_programme WHERE station = s.id) AS programmes
FROM station s WHERE s.id = $1;

-- name: station_calendar
-- Without one a station is always open.
SELECT calendar FROM station WHERE id = $1;

-- name: station_openings
-- For steps that are due after some time in which the station is open.
SELECT opens_at, closes_at FROM calendar_opening
WHERE calendar = $1 AND closes_at > $2 AND opens_at < $3 ORDER BY opens_at;
