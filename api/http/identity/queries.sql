-- name: known_places
-- Those of the places $2 from which the account signed in after $3.
SELECT place FROM known_place WHERE account = $1 AND place = ANY ($2::bytea[]) AND used_at > $3;

-- name: note_place
INSERT INTO known_place (account, place, used_at) VALUES ($1, $2, $3)
ON CONFLICT (account, place) DO UPDATE SET used_at = excluded.used_at;

-- name: keep_newest_places
-- Of an account's places those stay that were used after $3, at most $2.
DELETE FROM known_place WHERE account = $1 AND place NOT IN (
    SELECT place FROM known_place WHERE account = $1 AND used_at > $3 ORDER BY used_at DESC LIMIT $2);
