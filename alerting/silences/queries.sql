-- name: make_silence
INSERT INTO silence (station, area, kinds, from_at, until_at, reason, made_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING id, station, area, kinds, from_at, until_at, reason, made_by, made_at, ended_at, ended_by;

-- name: count_unfinished
-- How many silences are in force or planned, as far as the account sees them; at most $1 are counted.
SELECT count(*) FROM (SELECT FROM silence WHERE ended_at IS NULL AND until_at > now() LIMIT $1) AS unfinished;

-- name: load_silence
SELECT id, station, area, kinds, from_at, until_at, reason, made_by, made_at, ended_at, ended_by FROM silence WHERE id = $1;

-- name: lock_silence
-- Of two people who end it at once the second sees what the first did. Only what may be changed is locked.
SELECT id, station, area, kinds, from_at, until_at, reason, made_by, made_at, ended_at, ended_by,
       until_at <= now() AS is_over
FROM silence WHERE id = $1 FOR UPDATE;

-- name: end_silence
UPDATE silence SET ended_at = now(), ended_by = $2 WHERE id = $1
RETURNING id, station, area, kinds, from_at, until_at, reason, made_by, made_at, ended_at, ended_by;

-- name: unfinished_silences
-- All that are in force or planned at $1.
SELECT id, station, area, kinds, held(from_at) AS from_at, held(until_at) AS until_at, reason, made_by, held(made_at) AS made_at,
       ended_at, ended_by
FROM silence WHERE ended_at IS NULL AND until_at > $1;
