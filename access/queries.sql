-- name: find_account
SELECT a.id, a.login, a.name, a.role, a.whole, a.password IS NOT NULL AS has_password, a.created_at, a.disabled_at,
       array(SELECT area FROM account_area WHERE account = a.id ORDER BY area) AS areas
FROM account a WHERE a.id = $1;

-- name: find_login
-- The account of a login, in whatever case it is typed, with its password's hash.
SELECT id, password FROM account WHERE lower(login) = lower($1) AND disabled_at IS NULL;

-- name: find_acting
-- The enabled account of an id or a login.
SELECT id FROM account WHERE (id = $1 OR lower(login) = lower($1)) AND disabled_at IS NULL ORDER BY id <> $1 LIMIT 1;

-- name: list_accounts
SELECT a.id, a.login, a.name, a.role, a.whole, a.password IS NOT NULL AS has_password, a.created_at, a.disabled_at,
       array(SELECT area FROM account_area WHERE account = a.id ORDER BY area) AS areas
FROM account a WHERE a.id > $1 ORDER BY a.id LIMIT $2;

-- name: add_account
INSERT INTO account (id, login, name, role, whole, created_by) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (lower(login)) DO NOTHING RETURNING id;

-- name: set_role
UPDATE account SET role = $2, whole = $3 WHERE id = $1;

-- name: clear_areas
DELETE FROM account_area WHERE account = $1;

-- name: add_areas
INSERT INTO account_area (account, area) SELECT $1, unnest($2::text[]);

-- name: set_password
UPDATE account SET password = $2, password_at = now() WHERE id = $1;

-- name: hold_password
-- An enabled account with this password's hash; NULL: without a password. Of two changes at once one is refused.
SELECT id FROM account WHERE id = $1 AND disabled_at IS NULL AND password IS NOT DISTINCT FROM $2
FOR NO KEY UPDATE;

-- name: renew_hash
UPDATE account SET password = $3 WHERE id = $1 AND password = $2;

-- name: disable_account
UPDATE account SET disabled_at = now(), disabled_by = $2 WHERE id = $1 AND disabled_at IS NULL RETURNING id;

-- name: enable_account
UPDATE account SET disabled_at = NULL, disabled_by = NULL WHERE id = $1 AND disabled_at IS NOT NULL RETURNING id;

-- name: end_sessions
-- All but the one of the key $2.
DELETE FROM session WHERE account = $1 AND ($2::bytea IS NULL OR key <> $2);

-- name: void_codes
DELETE FROM signin_code WHERE account = $1;

-- name: area_paths
-- The paths of areas; one that does not exist has none.
SELECT code, path FROM area WHERE code = ANY ($1::text[]);

-- name: add_token
INSERT INTO api_token (id, key, account, name, role, whole, areas, created_by, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: find_token
SELECT id, account, role, whole, areas FROM api_token WHERE key = $1 AND revoked_at IS NULL AND expires_at > $2;

-- name: is_known_token
SELECT id FROM api_token WHERE key = $1;

-- name: list_tokens
SELECT id, account, name, role, whole, areas, created_at, created_by, expires_at, revoked_at
FROM api_token WHERE id > $1 ORDER BY id LIMIT $2;

-- name: revoke_token
UPDATE api_token SET revoked_at = now(), revoked_by = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id;

-- name: find_named
-- The account of an id, or of a login, in whatever case it is typed; disabled or not.
SELECT id FROM account WHERE lower(login) = lower($1) OR id = $1 ORDER BY (id = $1) DESC LIMIT 1;

-- name: list_visible_accounts
-- Accounts whose whole scope lies in another scope ($1: the whole; $2: its areas), and the account $3 itself; $4: after
-- this login.
SELECT a.id, a.login, a.name, a.role, a.whole, a.password IS NOT NULL AS has_password, a.created_at, a.disabled_at,
       array(SELECT area FROM account_area WHERE account = a.id ORDER BY area) AS areas
FROM account a
WHERE lower(a.login) > lower($4) AND ($1 OR a.id = $3 OR (
    NOT a.whole AND EXISTS (SELECT FROM account_area WHERE account = a.id)
    AND NOT EXISTS (SELECT FROM account_area x JOIN area r ON r.code = x.area
                    WHERE x.account = a.id AND NOT r.path && $2::text[])))
ORDER BY lower(a.login) LIMIT $5;

-- name: rename_account
UPDATE account SET name = $2 WHERE id = $1;

-- name: forget_password
UPDATE account SET password = NULL, password_at = NULL WHERE id = $1;

-- name: lock_admins
-- Enabled administrators of the whole who have a password, as others cannot sign in by themselves; $1: accounts that do not
-- count. They are locked, so that of two acts at once the second sees the first; entries of the ledger may still name them.
SELECT id FROM account
WHERE role = 'admin' AND whole AND disabled_at IS NULL AND password IS NOT NULL AND id <> ALL ($1::text[])
ORDER BY id FOR NO KEY UPDATE;

-- name: lock_account
-- Entries of the ledger may still name it.
SELECT id FROM account WHERE id = $1 FOR NO KEY UPDATE;

-- name: lock_token
SELECT id FROM api_token WHERE id = $1 FOR NO KEY UPDATE;

-- name: known_areas
-- Areas by their codes, or by short codes of GB/T 2260 padded to 12 digits.
SELECT given, coalesce((SELECT code FROM area WHERE code = given),
                       (SELECT code FROM area WHERE code = rpad(given, 12, '0') AND given ~ '^[0-9]{1,11}$')) AS code
FROM unnest($1::text[]) given;

-- name: area_names
SELECT code, name, name_en FROM area WHERE code = ANY ($1::text[]);

-- name: list_visible_tokens
-- The tokens of accounts that list_visible_accounts gives ($1 to $3; $3 NULL: without an account's own), and the token $4;
-- $5: of one account only; $6, $7: after a token, by its time and id; $8: without those that ended before this time.
SELECT t.id, t.account, t.name, t.role, t.whole, t.areas, t.created_at, t.created_by, t.expires_at, t.revoked_at, t.used_at
FROM api_token t
WHERE ($6::timestamptz IS NULL OR (t.created_at, t.id) < ($6, $7::text)) AND ($5::text IS NULL OR t.account = $5)
  AND ($8::timestamptz IS NULL OR (t.expires_at > $8 AND t.revoked_at IS NULL))
  AND ($1 OR t.account = $3 OR t.id = $4 OR EXISTS (
      SELECT FROM account a
      WHERE a.id = t.account AND NOT a.whole AND EXISTS (SELECT FROM account_area WHERE account = a.id)
        AND NOT EXISTS (SELECT FROM account_area x JOIN area r ON r.code = x.area
                        WHERE x.account = a.id AND NOT r.path && $2::text[])))
ORDER BY t.created_at DESC, t.id DESC LIMIT $9;

-- name: count_valid_tokens
SELECT count(*) FROM api_token WHERE account = $1 AND revoked_at IS NULL AND expires_at > $2;

-- name: stored_token
SELECT id, account, name, role, whole, areas, created_at, created_by, expires_at, revoked_at, used_at
FROM api_token WHERE id = $1;

-- name: shorten_token
-- The token expires at $2, unless it expires earlier.
UPDATE api_token SET expires_at = least(expires_at, $2::timestamptz) WHERE id = $1 AND revoked_at IS NULL;

-- name: note_token_use
-- $3: a use that was recorded later than this stands.
UPDATE api_token SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $3);

-- name: put_code
-- $1: the hash of the code of a one-use link.
INSERT INTO signin_code (key, account, until_at) VALUES ($1, $2, $3);
