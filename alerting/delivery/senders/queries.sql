-- name: trial_channels
-- The addresses of a contact, also of one that is silent now; secret.
SELECT place, kind, address, fingerprint FROM contact_channel WHERE contact = $1 ORDER BY place;

-- name: lock_limit
-- The row of an address under the limits of its provider, made if it is missing.
INSERT INTO send_limit (provider, fingerprint) VALUES ($1, $2)
ON CONFLICT (provider, fingerprint) DO UPDATE SET provider = excluded.provider
RETURNING taken_at, silent_until, clock_timestamp() AS now;

-- name: save_limit
UPDATE send_limit SET taken_at = $3, silent_until = $4, tried_at = now() WHERE provider = $1 AND fingerprint = $2;

-- name: count_channels
-- The number of contacts, neither retired nor muted, that have a channel of a kind.
SELECT count(DISTINCT k.contact) FROM contact_channel k JOIN contact c ON c.id = k.contact
WHERE k.kind = $1 AND c.retired_at IS NULL AND c.muted_at IS NULL;
