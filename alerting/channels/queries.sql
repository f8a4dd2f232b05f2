-- name: lock_state
-- What is known of a channel; the attempts of several processes change it one after the other.
SELECT failing_since, failures, texts_refused, dead_at, reason, why FROM channel_state
WHERE contact = $1 AND fingerprint = $2 FOR UPDATE;

-- name: add_state
-- So that two processes lock the same row at the first failure.
INSERT INTO channel_state (contact, fingerprint, channel) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: save_state
-- Written only when it changes: a channel that works has no row, or an empty one.
UPDATE channel_state
SET failing_since = $3, failures = $4, texts_refused = $5, dead_at = $6, reason = $7, why = $8
WHERE contact = $1 AND fingerprint = $2;

-- name: dead_channels
-- Few at any time, and found by an index: each pass of the incident process asks. A replaced channel stays until its
-- contact has the address again, or for ever.
SELECT d.contact, d.fingerprint, d.channel, c.area, d.failing_since, d.dead_at, d.reason, d.why,
       NOT EXISTS (SELECT FROM contact_channel k
                   WHERE k.contact = d.contact AND k.fingerprint = d.fingerprint) AS replaced,
       c.retired_at IS NOT NULL OR c.muted_at IS NOT NULL AS retired
FROM channel_state d JOIN contact c ON c.id = d.contact
WHERE d.dead_at IS NOT NULL ORDER BY d.dead_at, d.contact, d.fingerprint;
