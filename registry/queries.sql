-- name: list_areas
-- The whole tree: an import compares with it, and every path depends on it.
SELECT code, name, name_en, name_bo, parent, level, path, valid_from, valid_to, successor FROM area ORDER BY code;

-- name: load_area
SELECT code, name, name_en, name_bo, parent, level, path, valid_from, valid_to, successor FROM area WHERE code = $1;

-- name: list_children
SELECT code, name, name_en, name_bo, parent, level, path, valid_from, valid_to, successor
FROM area WHERE parent IS NOT DISTINCT FROM $1 ORDER BY code;

-- name: known_areas
SELECT code FROM area WHERE code = ANY ($1::text[]);

-- name: known_stations
SELECT id FROM station WHERE id = ANY ($1::text[]);

-- name: upsert_areas
-- A path cannot be unnested as an array of arrays, so it comes as text joined by slashes, which no code contains.
INSERT INTO area (code, name, name_en, name_bo, parent, level, path, valid_from, valid_to, successor, changed_at)
SELECT code, name, name_en, name_bo, parent, level, string_to_array(path, '/'), valid_from, valid_to, successor, $11
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::date[], $9::date[], $10::text[])
    AS new (code, name, name_en, name_bo, parent, level, path, valid_from, valid_to, successor)
ON CONFLICT (code) DO UPDATE SET
    name = excluded.name, name_en = excluded.name_en, name_bo = excluded.name_bo, parent = excluded.parent,
    level = excluded.level, path = excluded.path, valid_from = excluded.valid_from, valid_to = excluded.valid_to,
    successor = excluded.successor, changed_at = excluded.changed_at;

-- name: load_stations
-- Unknown ids are left out.
SELECT id, name, name_en, name_bo, kind, area, lat, lon, lifecycle, held(commissioned_at) AS commissioned_at, address, isp, feeder, schedule,
       quorum, auto_registered,
       ARRAY(SELECT programme FROM station_programme WHERE station = station.id ORDER BY programme COLLATE "C")
           AS programmes
FROM station WHERE id = ANY ($1::text[]) ORDER BY id;

-- name: list_stations
-- One page in the order of ids, of an area and everything below it, or ($1 null) of all.
SELECT id, name, name_en, name_bo, kind, area, lat, lon, lifecycle, held(commissioned_at) AS commissioned_at, address, isp, feeder, schedule,
       quorum, auto_registered,
       ARRAY(SELECT programme FROM station_programme WHERE station = station.id ORDER BY programme COLLATE "C")
           AS programmes
FROM station
WHERE ($1::text IS NULL OR area IN (SELECT code FROM area WHERE path @> ARRAY[$1::text]))
  AND id > $2
ORDER BY id LIMIT $3;

-- name: list_terminals
SELECT station, id, type, counts, held(installed_at) AS installed_at, refresh_due FROM terminal
WHERE station = ANY ($1::text[]) ORDER BY station, id;

-- name: upsert_stations
-- A station that a person imports is no longer auto-registered. Columns that files do not have (languages, quorum) stay.
INSERT INTO station (id, name, name_en, name_bo, kind, area, lat, lon, lifecycle, commissioned_at, address, isp,
                     feeder, schedule)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[],
                     $8::float8[], $9::text[], $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[])
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, name_en = excluded.name_en, name_bo = excluded.name_bo, kind = excluded.kind,
    area = excluded.area, lat = excluded.lat, lon = excluded.lon, lifecycle = excluded.lifecycle,
    commissioned_at = excluded.commissioned_at, address = excluded.address, isp = excluded.isp,
    feeder = excluded.feeder, schedule = excluded.schedule, auto_registered = false;

-- name: add_programmes
-- A programme that a station is the first to name has no other name yet.
INSERT INTO programme (id, name) SELECT DISTINCT id, id FROM unnest($1::text[]) AS new (id) ON CONFLICT DO NOTHING;

-- name: leave_programmes
-- The programmes of stations ($1) except those that they keep ($2, $3): what stays is not written again.
DELETE FROM station_programme AS old WHERE station = ANY ($1::text[]) AND NOT EXISTS (
    SELECT FROM unnest($2::text[], $3::text[]) AS kept (station, programme)
    WHERE kept.station = old.station AND kept.programme = old.programme);

-- name: join_programmes
INSERT INTO station_programme (station, programme) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING;

-- name: register_stations
-- The first digits of an id ($1) name the county ($2), in which the station lies if that area exists. At most $4 stations
-- are auto-registered; they are counted only when one is to be added, and only up to that number.
INSERT INTO station (id, name, area, commissioned_at, auto_registered)
SELECT new.id, new.id, area.code, $3, true
FROM unnest($1::text[], $2::text[]) AS new (id, county) LEFT JOIN area ON area.code = new.county
WHERE NOT EXISTS (SELECT FROM station old WHERE old.id = new.id)
ORDER BY new.id
LIMIT greatest(0, $4::bigint - (SELECT count(*) FROM (SELECT FROM station WHERE auto_registered LIMIT $4) AS heard))
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- name: add_terminals
-- Only of registered stations; terminals that are there stay as they are.
INSERT INTO terminal (station, id)
SELECT new.station, new.id
FROM unnest($1::text[], $2::text[]) AS new (station, id) JOIN station ON station.id = new.station
ON CONFLICT DO NOTHING
RETURNING station;

-- name: note_unregistered
-- Bounded: a made-up station adds no row beyond $6, and no station lists more than $7 terminals.
INSERT INTO unregistered AS u (station, terminals, first_seen_at, last_seen_at, messages)
SELECT station, (string_to_array(terminals, '/'))[:$7], first_at, last_at, messages
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::bigint[])
    AS new (station, terminals, first_at, last_at, messages)
WHERE (SELECT count(*) FROM unregistered) < $6::bigint
   OR EXISTS (SELECT FROM unregistered AS old WHERE old.station = new.station)
ON CONFLICT (station) DO UPDATE SET
    terminals = ARRAY(SELECT DISTINCT unnest(u.terminals || excluded.terminals) ORDER BY 1 LIMIT $7),
    first_seen_at = least(u.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(u.last_seen_at, excluded.last_seen_at),
    messages = u.messages + excluded.messages;

-- name: forget_unregistered
DELETE FROM unregistered WHERE station = ANY ($1::text[]);

-- name: lock_imports
-- Imports run one after another, so that a diff still holds when it is applied; held until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('milepost import', 0));

-- name: announce
SELECT pg_notify('milepost_registry', '');

-- name: lock_station
-- The lifecycle; no row: the station is not registered.
SELECT lifecycle FROM station WHERE id = $1 FOR UPDATE;

-- name: has_history
SELECT station_has_history($1);

-- name: remove_untouched
-- False where the station has a history.
SELECT remove_untouched_station($1);

-- name: set_lifecycle
-- A person decided it, so the station is no longer auto-registered.
UPDATE station SET lifecycle = $2, auto_registered = false WHERE id = $1;

-- name: lifecycle_before
-- The lifecycle before the last change of it.
SELECT before FROM station_lifecycle WHERE station = $1 ORDER BY at DESC, id DESC LIMIT 1;
