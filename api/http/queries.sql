-- name: set_scope
-- What this transaction shows: `*`, or codes of areas with commas; see access/scope.py. $2: the account that asks, which sees
-- itself also where it is wider than its scope, as a narrowed token is; empty: none.
SELECT set_config('milepost.scope', $1, true), set_config('milepost.account', $2, true);

-- name: lacks_rights
-- Whether there is a schema of which this role may read nothing.
SELECT to_regclass('schema_migration') IS NOT NULL AND NOT has_table_privilege('schema_migration', 'SELECT');

-- name: session
-- The row of a session; api/http/session_rules.py decides whether it has ended.
SELECT key, account, wall, created_at, used_at FROM session WHERE key = $1;

-- name: sessions_of
-- The sessions of an account, the last used first; no more than a page shows.
SELECT key, account, wall, created_at, used_at FROM session WHERE account = $1 ORDER BY used_at DESC, key LIMIT 500;

-- name: note_use
-- Record that a session was used. An older use from another process does not overwrite a newer one.
UPDATE session SET used_at = greatest(used_at, $2) WHERE key = $1;

-- name: new_session
INSERT INTO session (key, account, wall, created_at, used_at) VALUES ($1, $2, $3, $4, $4);

-- name: forget_sessions
-- Delete sessions that have ended, by the rules of api/http/session_rules.py. $1, $2: the last use and the beginning of a person's; $3: of a wall's.
DELETE FROM session
WHERE CASE WHEN wall THEN used_at <= $3::timestamptz
           ELSE used_at <= $1::timestamptz OR created_at <= $2::timestamptz END;

-- name: hold_account
-- An enabled account, and if $2 is given with this password's hash. What would disable it or change the password waits.
SELECT id FROM account WHERE id = $1 AND disabled_at IS NULL AND ($2::text IS NULL OR password = $2) FOR SHARE;

-- name: keep_newest_sessions
-- Keep at most $2 sessions of an account: those that were used the longest ago are deleted.
DELETE FROM session WHERE key IN (
    SELECT key FROM session WHERE account = $1 ORDER BY used_at DESC, created_at DESC OFFSET $2);

-- name: end_session
DELETE FROM session WHERE key = $1;

-- name: end_other_sessions
-- Delete all sessions of an account but the one of the key $2.
DELETE FROM session WHERE account = $1 AND ($2::bytea IS NULL OR key <> $2) RETURNING key;

-- name: new_code
INSERT INTO signin_code (key, account, until_at) VALUES ($1, $2, $3);

-- name: forget_codes
DELETE FROM signin_code WHERE until_at <= $1;

-- name: keep_newest_codes
DELETE FROM signin_code WHERE key IN (
    SELECT key FROM signin_code WHERE account = $1 ORDER BY until_at DESC OFFSET $2);

-- name: take_code
-- Of two requests at once only one gets the row.
DELETE FROM signin_code WHERE key = $1 AND until_at > $2 RETURNING account;
