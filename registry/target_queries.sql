-- name: load_targets
SELECT id, programme, name, metric, areas, level, threshold, deadline, language FROM target ORDER BY id COLLATE "C";

-- name: upsert_targets
-- Codes cannot be unnested as an array of arrays, so they come as text joined by slashes, which no code contains.
INSERT INTO target (id, programme, name, metric, areas, level, threshold, deadline, language)
SELECT id, programme, name, metric, string_to_array(areas, '/'), level, threshold, deadline, language
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[], $8::date[], $9::text[])
    AS new (id, programme, name, metric, areas, level, threshold, deadline, language)
ON CONFLICT (id) DO UPDATE SET
    programme = excluded.programme, name = excluded.name, metric = excluded.metric, areas = excluded.areas,
    level = excluded.level, threshold = excluded.threshold, deadline = excluded.deadline, language = excluded.language;

-- name: load_successions
SELECT old_code AS old, new_code AS new, on_day FROM area_succession ORDER BY old_code COLLATE "C", new_code COLLATE "C";

-- name: put_successions
-- Old codes ($1) with new codes ($2) and first days ($3); the day of a known pair is replaced.
INSERT INTO area_succession (old_code, new_code, on_day) SELECT * FROM unnest($1::text[], $2::text[], $3::date[])
ON CONFLICT (old_code, new_code) DO UPDATE SET on_day = excluded.on_day;

-- name: remove_successions
-- Old codes ($1) with new codes ($2).
DELETE FROM area_succession WHERE (old_code, new_code) IN (SELECT * FROM unnest($1::text[], $2::text[]));
