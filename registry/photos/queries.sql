-- name: lock_incident
-- Two photos that come at once are counted one after the other.
SELECT true FROM incident WHERE id = $1 FOR UPDATE;

-- name: lock_closure
SELECT withdrawn_at IS NOT NULL FROM closure WHERE id = $1 FOR UPDATE;

-- name: lock_finding
SELECT closed_at IS NOT NULL FROM finding WHERE id = $1 FOR UPDATE;

-- name: count_photos
SELECT count(*) FROM photo WHERE incident = $1 OR closure = $2 OR finding = $3;

-- name: find_photo
-- The same picture that was sent before, for the repair $5 if it is given.
SELECT id, sha256, octet_length(jpeg) AS bytes, width, height, incident, closure, finding, repair, made_by, made_remark, made_at
FROM photo WHERE (incident = $1 OR closure = $2 OR finding = $3) AND sha256 = $4 AND ($5::bigint IS NULL OR repair = $5)
ORDER BY repair NULLS FIRST LIMIT 1;

-- name: insert_photo
INSERT INTO photo (incident, closure, finding, repair, sha256, jpeg, width, height, made_by, made_remark)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
RETURNING id, sha256, octet_length(jpeg) AS bytes, width, height, incident, closure, finding, repair, made_by, made_remark, made_at;

-- name: load_photo
SELECT id, sha256, octet_length(jpeg) AS bytes, width, height, incident, closure, finding, repair, made_by, made_remark, made_at
FROM photo WHERE id = $1;

-- name: load_jpeg
SELECT jpeg FROM photo WHERE id = $1;

-- name: list_photos
-- In the order in which they were sent; the bytes are fetched one by one.
SELECT id, sha256, octet_length(jpeg) AS bytes, width, height, incident, closure, finding, repair, made_by, made_remark, made_at
FROM photo WHERE incident = $1 OR closure = $2 OR finding = $3 ORDER BY made_at, id;
