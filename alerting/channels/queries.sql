-- name: lock_state
-- What is known of a channel; the attempts of several processes change it one after the other.
SELECT failing_since, failures, texts_refused, dead_at, reason, why FROM channel_state
WHERE contact = $1 AND fingerprint = $2 FOR UPDATE;

-- name: save_state
-- Written only when it changes: a channel that works has no row, or an empty one.
INSERT INTO channel_state (contact, fingerprint, channel, failing_since, failures, texts_refused, dead_at, reason, why)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (contact, fingerprint) DO UPDATE
SET failing_since = excluded.failing_since, failures = excluded.failures, texts_refused = excluded.texts_refused,
    dead_at = excluded.dead_at, reason = excluded.reason, why = excluded.why;

-- name: dead_channels
-- Few at any time, and found by an index: each pass of the incident process asks. A replaced channel stays until its
-- contact has the address again, or for ever.
SELECT d.contact, d.fingerprint, d.channel, c.area, d.failing_since, d.dead_at, d.reason, d.why,
       NOT EXISTS (SELECT FROM contact_channel k
                   WHERE k.contact = d.contact AND k.fingerprint = d.fingerprint) AS replaced,
       c.retired_at IS NOT NULL OR c.muted_at IS NOT NULL AS retired
FROM channel_state d JOIN contact c ON c.id = d.contact
WHERE d.dead_at IS NOT NULL ORDER BY d.dead_at, d.contact, d.fingerprint;
