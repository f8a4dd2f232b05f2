-- name: find_account
SELECT a.id, a.login, a.name, a.role, a.whole, a.password IS NOT NULL AS has_password, a.created_at, a.disabled_at,
       array(SELECT area FROM account_area WHERE account = a.id ORDER BY area) AS areas
FROM account a WHERE a.id = $1;

-- name: find_login
-- The account of a login, in whatever case it is typed, with its password's hash.
SELECT id, password FROM account WHERE lower(login) = lower($1) AND disabled_at IS NULL;

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

-- name: disable_account
UPDATE account SET disabled_at = now(), disabled_by = $2 WHERE id = $1 AND disabled_at IS NULL RETURNING id;

-- name: enable_account
UPDATE account SET disabled_at = NULL, disabled_by = NULL WHERE id = $1 AND disabled_at IS NOT NULL RETURNING id;

-- name: end_sessions
DELETE FROM session WHERE account = $1;

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
