-- name: newest_of_keys
SELECT i.* FROM unnest($1::text[]) AS wanted (key)
CROSS JOIN LATERAL (
    SELECT id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at, parent, detail
    FROM incident i WHERE i.key = wanted.key ORDER BY i.id DESC LIMIT 1
) i;

-- name: open_of_stations
SELECT id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at, parent, detail
FROM incident WHERE station = ANY ($1::text[]) AND kind = $2 AND (status <> 'closed' OR reopen_at IS NOT NULL);

-- name: open_of_kind
SELECT id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at, parent, detail
FROM incident WHERE kind = $1 AND (status <> 'closed' OR reopen_at IS NOT NULL);

-- name: recent_of_shards
-- By key, the incident that goes on and the latest closed incidents; late gaps may belong to them.
SELECT i.* FROM unnest($1::text[]) AS wanted (key)
CROSS JOIN LATERAL (
    SELECT id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at, parent, detail
    FROM incident i WHERE i.key = wanted.key ORDER BY i.id DESC LIMIT 50
) i;

-- name: new_ids
SELECT nextval(pg_get_serial_sequence('incident', 'id')) FROM generate_series(1, $1::int);

-- name: update_incidents
-- An open incident has no acknowledgement: reopening deletes it.
UPDATE incident AS i
SET status = m.status, area = m.area, began_at = m.began_at, closed_at = m.closed_at, ended_at = m.ended_at,
    reopen_at = m.reopen_at, parent = m.parent, detail = m.detail::jsonb,
    acknowledged_at = CASE WHEN m.status = 'open' THEN NULL ELSE i.acknowledged_at END,
    acknowledged_by = CASE WHEN m.status = 'open' THEN NULL ELSE i.acknowledged_by END
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
            $7::timestamptz[], $8::bigint[], $9::text[])
     AS m (id, status, area, began_at, closed_at, ended_at, reopen_at, parent, detail)
WHERE i.id = m.id;

-- name: insert_incidents
INSERT INTO incident (id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, parent,
                      detail)
OVERRIDING SYSTEM VALUE
SELECT id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, parent, detail::jsonb
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
            $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::bigint[], $13::text[])
     AS m (id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, parent, detail);

-- name: insert_entries
INSERT INTO incident_entry (incident, at, actor, action, text)
SELECT incident, $1, 'milepost', action, text
FROM unnest($2::bigint[], $3::text[], $4::text[]) WITH ORDINALITY AS m (incident, action, text, n)
ORDER BY n;

-- name: insert_notifications
-- `round`: how often the incident was reopened; each phase is notified once in each round.
INSERT INTO notification (incident, phase, round, created_at, not_before)
SELECT incident, phase, round, $1, not_before
FROM unnest($2::bigint[], $3::text[], $4::int[], $5::timestamptz[]) AS m (incident, phase, round, not_before)
ON CONFLICT (incident, phase, round) DO NOTHING;

-- name: lock_incident
SELECT status, detail FROM incident WHERE id = $1 FOR UPDATE;

-- name: acknowledge_incident
UPDATE incident SET status = 'acknowledged', acknowledged_at = $3, acknowledged_by = $2 WHERE id = $1;

-- name: assign_incident
UPDATE incident SET assignee = $2 WHERE id = $1;

-- name: shelve_incident
-- Close an incident by hand; its fault may go on, so the incident is reopened at $4. Returns whether people are
-- notified of the closing, and the round of that notification.
UPDATE incident
SET status = 'closed', closed_at = $3, reopen_at = $4,
    detail = detail || jsonb_strip_nulls(jsonb_build_object(
        'shelved_by', 'person', 'resolved_by', $2::text, 'resolved_reason', $5::text))
WHERE id = $1
RETURNING parent IS NULL AND (detail -> 'quiet') IS DISTINCT FROM 'true' AS pages,
          coalesce((detail ->> 'reopened')::int, 0) AS round;

-- name: due_shelved
-- The shelved incidents whose time to reopen has come.
SELECT id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at, parent, detail
FROM incident WHERE reopen_at <= $1 ORDER BY reopen_at LIMIT $2;

-- name: going_on_at_stations
-- The incidents of all kinds that go on at these stations.
SELECT id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at, parent, detail
FROM incident WHERE station = ANY ($1::text[]) AND (status <> 'closed' OR reopen_at IS NOT NULL);

-- name: insert_entry
INSERT INTO incident_entry (incident, at, actor, action, text) VALUES ($1, $2, $3, $4, $5);

-- name: insert_notification
INSERT INTO notification (incident, phase, round, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (incident, phase, round) DO NOTHING;

-- name: tell_incident
SELECT pg_notify('milepost_incident', '');

-- name: tell_delivery
SELECT pg_notify('milepost_delivery', '');
