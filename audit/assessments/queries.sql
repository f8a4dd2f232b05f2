-- name: insert_assessment
-- The next revision; no row if there is one already and $3 gives no reason for a further one.
INSERT INTO assessment (area, period, why, made_by, made_remark, made_at, method, rules_name, rules_version, score, outcome,
                        places, rules, inputs, result, revision)
SELECT $1, $2, CASE WHEN max(revision) > 0 THEN $3 END, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
       coalesce(max(revision), 0) + 1
FROM assessment WHERE coalesce(area, '') = coalesce($1::text, '') AND period = $2
HAVING max(revision) IS NULL OR $3::text IS NOT NULL
ON CONFLICT DO NOTHING RETURNING id, revision;

-- name: load_assessment
SELECT * FROM assessment WHERE id = $1;

-- name: load_newest
-- The newest assessment of an area ($1; null: of everything) and a period.
SELECT * FROM assessment WHERE coalesce(area, '') = coalesce($1::text, '') AND period = $2 ORDER BY revision DESC LIMIT 1;

-- name: list_assessments
-- Assessments, the newest first: before $1, of areas ($2; null: all) and all below them, of a period ($3), at most $4. Without their contents.
SELECT id, area, period, revision, why, made_at, made_by, rules_name, rules_version, score, outcome, places,
       (SELECT name FROM area WHERE code = assessment.area) AS area_name,
       (SELECT name_en FROM area WHERE code = assessment.area) AS area_name_en
FROM assessment
WHERE id < $1 AND ($2::text[] IS NULL OR area IN (SELECT code FROM area WHERE path && $2::text[]))
  AND ($3::text IS NULL OR period = $3)
ORDER BY id DESC LIMIT $4;
