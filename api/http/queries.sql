-- name: session
-- The row of a session; whether it goes on is api/http/session_rules.py to decide.
SELECT account, wall, created_at, used_at FROM session WHERE key = $1;

-- name: note_use
-- That a session was used. An older word of another process does not take it back.
UPDATE session SET used_at = greatest(used_at, $2) WHERE key = $1;

-- name: new_session
INSERT INTO session (key, account, wall, created_at, used_at) VALUES ($1, $2, $3, $4, $4);

-- name: forget_sessions
-- Those that are over, as api/http/session_rules.py has it. $1, $2: the last use and the beginning of a person's; $3: of a wall's.
DELETE FROM session
WHERE CASE WHEN wall THEN used_at <= $3::timestamptz
           ELSE used_at <= $1::timestamptz OR created_at <= $2::timestamptz END;

-- name: keep_newest_sessions
-- So that they are bounded: beyond $1 those go that were used the longest ago.
DELETE FROM session WHERE key IN (SELECT key FROM session ORDER BY used_at DESC, created_at DESC OFFSET $1);

-- name: end_session
DELETE FROM session WHERE key = $1;

-- name: end_other_sessions
-- All of an account but one.
DELETE FROM session WHERE account = $1 AND key <> $2 RETURNING key;

-- name: new_code
INSERT INTO signin_code (key, account, until_at) VALUES ($1, $2, $3);

-- name: forget_codes
DELETE FROM signin_code WHERE until_at <= $1;

-- name: keep_newest_codes
DELETE FROM signin_code WHERE key IN (SELECT key FROM signin_code ORDER BY until_at DESC OFFSET $1);

-- name: take_code
-- Of two that take it at once one gets the row.
DELETE FROM signin_code WHERE key = $1 AND until_at > $2 RETURNING account;
