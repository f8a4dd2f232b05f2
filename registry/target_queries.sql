-- name: load_targets
SELECT id, programme, name, metric, areas, level, threshold, deadline FROM target ORDER BY id COLLATE "C";

-- name: upsert_targets
-- Codes cannot be unnested as an array of arrays, so they come as text joined by slashes, which no code contains.
INSERT INTO target (id, programme, name, metric, areas, level, threshold, deadline)
SELECT id, programme, name, metric, string_to_array(areas, '/'), level, threshold, deadline
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[], $8::date[])
    AS new (id, programme, name, metric, areas, level, threshold, deadline)
ON CONFLICT (id) DO UPDATE SET
    programme = excluded.programme, name = excluded.name, metric = excluded.metric, areas = excluded.areas,
    level = excluded.level, threshold = excluded.threshold, deadline = excluded.deadline;
