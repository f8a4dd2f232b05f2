-- name: load_station_facts
-- What was recorded of stations ($1) up to a cut ($2; null: all).
SELECT id, kind, subject, held(effective_at) AS effective_at, whole, fields FROM registry_fact
WHERE subject = ANY ($1::text[]) AND kind IN ('station', 'terminal', 'programme', 'schedule', 'override', 'closure')
  AND ($2::bigint IS NULL OR id <= $2);

-- name: load_area_facts
SELECT id, kind, subject, held(effective_at) AS effective_at, whole, fields FROM registry_fact
WHERE subject = ANY ($1::text[]) AND kind = 'area' AND ($2::bigint IS NULL OR id <= $2);

-- name: load_common_facts
-- Of kinds, areas with overrides or closures, programmes, everywhere: few, and any station may follow one.
SELECT id, kind, subject, held(effective_at) AS effective_at, whole, fields FROM registry_fact
WHERE kind NOT IN ('station', 'terminal', 'programme', 'schedule', 'override', 'closure', 'area')
  AND ($1::bigint IS NULL OR id <= $1);

-- name: try_alone
-- Whether no transaction has facts that are not committed. Without queueing, so no writer waits behind this.
SELECT pg_try_advisory_xact_lock(hashtextextended('milepost registry facts', 0));

-- name: newest_fact
SELECT coalesce(max(id), 0) FROM registry_fact;
