-- name: station_exists
-- False also for a station outside the scope.
SELECT EXISTS (SELECT FROM station WHERE id = $1);

-- name: load_incident_times
-- The station, the beginning and the end of an incident.
SELECT station, began_at, coalesce(ended_at, closed_at) AS ended_at FROM incident WHERE id = $1;

-- name: insert_finding
INSERT INTO finding (kind, station, incident, from_at, until_at, text, made_by, made_remark, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *;

-- name: load_finding
SELECT * FROM finding WHERE id = $1;

-- name: lock_finding
SELECT * FROM finding WHERE id = $1 FOR UPDATE;

-- name: answer_finding
UPDATE finding SET answer = $2, answered_by = $3, answered_remark = $4, answered_at = $5 WHERE id = $1 RETURNING *;

-- name: close_finding
UPDATE finding SET closed_why = $2, closed_by = $3, closed_remark = $4, closed_at = $5 WHERE id = $1 RETURNING *;

-- name: list_findings
-- Findings and disputes, the newest first, whose time overlaps the time from $6 to $7.
SELECT f.* FROM finding f
WHERE f.id < $1 AND ($2::text IS NULL OR f.station = $2) AND ($3::bigint IS NULL OR f.incident = $3)
  AND ($4::text IS NULL OR $4 = CASE WHEN f.closed_at IS NOT NULL THEN 'closed' WHEN f.answered_at IS NOT NULL THEN 'answered'
                                     ELSE 'open' END)
  AND ($6::timestamptz IS NULL OR f.until_at > $6) AND ($7::timestamptz IS NULL OR f.from_at < $7)
ORDER BY f.id DESC LIMIT $5;

-- name: insert_correction
INSERT INTO correction (station, finding, from_at, until_at, counts_as, reason, proposed_by, proposed_remark, proposed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *;

-- name: load_correction
SELECT * FROM correction WHERE id = $1;

-- name: lock_correction
SELECT * FROM correction WHERE id = $1 FOR UPDATE;

-- name: decide_correction
UPDATE correction SET decision = $2, decided_why = $3, decided_by = $4, decided_remark = $5, decided_at = $6
WHERE id = $1 RETURNING *;

-- name: list_corrections
-- Corrections, the newest first.
SELECT c.* FROM correction c
WHERE c.id < $1 AND ($2::text IS NULL OR c.station = $2) AND ($3::bigint IS NULL OR c.finding = $3)
  AND ($4::text IS NULL OR $4 = coalesce(c.decision, 'proposed'))
ORDER BY c.id DESC LIMIT $5;

-- name: corrections_of
-- The approved corrections of stations in a window, in the order in which they were approved.
SELECT station, held(from_at) AS from_at, held(until_at) AS until_at, counts_as FROM correction
WHERE station = ANY ($1::text[]) AND decision = 'approved' AND from_at < $3 AND until_at > $2
ORDER BY decided_at, id;

-- name: has_entry
SELECT EXISTS (SELECT FROM ledger_entry WHERE kind = $1 AND subject = $2 AND actor = $3);
