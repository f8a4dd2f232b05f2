-- name: is_known_place
-- Whether the account signed in at the place $2 after $3.
SELECT EXISTS (SELECT FROM known_place WHERE account = $1 AND place = $2 AND used_at > $3);

-- name: as_compared
-- A login in the lower case in which logins are compared; that of Python differs for some letters.
SELECT lower($1::text);

-- name: note_place
INSERT INTO known_place (account, place, used_at) VALUES ($1, $2, $3)
ON CONFLICT (account, place) DO UPDATE SET used_at = excluded.used_at;

-- name: keep_newest_places
-- Of an account's places those stay that were used after $3, at most $2.
DELETE FROM known_place WHERE account = $1 AND place NOT IN (
    SELECT place FROM known_place WHERE account = $1 AND used_at > $3 ORDER BY used_at DESC LIMIT $2);
