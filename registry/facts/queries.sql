-- name: load_facts
-- What was recorded up to a cut ($2; null: all) of stations ($1), of their areas, and of what any station may follow: kinds,
-- areas with overrides or closures, programmes, everywhere, which are few. One statement, so one snapshot.
WITH own AS MATERIALIZED (
    SELECT id, kind, subject, effective_at, whole, fields FROM registry_fact
    WHERE subject = ANY ($1::text[]) AND kind IN ('station', 'terminal', 'programme', 'schedule', 'override', 'closure')
      AND ($2::bigint IS NULL OR id <= $2)
), found AS (
    SELECT * FROM own
    UNION ALL
    SELECT id, kind, subject, effective_at, whole, fields FROM registry_fact
    WHERE subject = ANY (ARRAY(SELECT DISTINCT fields ->> 'area' FROM own WHERE kind = 'station')) AND kind = 'area'
      AND ($2::bigint IS NULL OR id <= $2)
    UNION ALL
    SELECT id, kind, subject, effective_at, whole, fields FROM registry_fact
    WHERE kind NOT IN ('station', 'terminal', 'programme', 'schedule', 'override', 'closure', 'area') AND kind <> 'succession'
      AND ($2::bigint IS NULL OR id <= $2)
)
SELECT id, kind, subject, held(effective_at) AS effective_at, whole, fields FROM found;

-- name: load_succession_facts
-- What was recorded of areas that follow others, up to a cut ($1; null: all).
SELECT id, kind, subject, held(effective_at) AS effective_at, whole, fields FROM registry_fact
WHERE kind = 'succession' AND ($1::bigint IS NULL OR id <= $1);

-- name: load_area_facts
-- What was recorded of all areas that are of some levels ($1), up to a cut ($2; null: all).
SELECT f.id, f.kind, f.subject, held(f.effective_at) AS effective_at, f.whole, f.fields
FROM area a JOIN registry_fact f ON f.subject = a.code
WHERE a.level = ANY ($1::text[]) AND f.kind = 'area' AND ($2::bigint IS NULL OR f.id <= $2);

-- name: try_alone
-- Whether no transaction has facts that are not committed. Without queueing, so no writer waits behind this.
SELECT pg_try_advisory_xact_lock(hashtextextended('milepost registry facts', 0));

-- name: newest_fact
SELECT coalesce(max(id), 0) FROM registry_fact;
