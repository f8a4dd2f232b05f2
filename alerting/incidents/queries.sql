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
    acknowledged_by = CASE WHEN m.status = 'open' THEN NULL ELSE i.acknowledged_by END,
    acknowledged_remark = CASE WHEN m.status = 'open' THEN NULL ELSE i.acknowledged_remark END,
    eta_at = CASE WHEN m.status = 'open' THEN NULL ELSE i.eta_at END
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
            $7::timestamptz[], $8::bigint[], $9::text[])
     AS m (id, status, area, began_at, closed_at, ended_at, reopen_at, parent, detail)
WHERE i.id = m.id;

-- name: insert_incidents
-- A closure may excuse the station in the pass in which the incident opens: then the incident has a `reopen_at` already.
INSERT INTO incident (id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at,
                      parent, detail)
OVERRIDING SYSTEM VALUE
SELECT id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at, parent,
       detail::jsonb
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
            $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::bigint[], $14::text[])
     AS m (id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at, parent,
           detail);

-- name: insert_entries
INSERT INTO incident_entry (incident, at, actor, action, text)
SELECT incident, $1, 'milepost', action, text
FROM unnest($2::bigint[], $3::text[], $4::text[]) WITH ORDINALITY AS m (incident, action, text, n)
ORDER BY n;

-- name: change_shares
-- Add what changed of children ($1) to the shares of their parents ($2), each child in an area ($3), at a station ($4), counted
-- as the thing $5, with its state before ($6) and now ($7): 0 no child of that parent and area, 1 over, 2 going on. A thing
-- may have had other incidents under the same parent: it counts once, in the highest state. Of areas only a blind spot has a
-- share. The numbers are not below 0 while the tree of areas has changed and the shares are not recounted yet. A share that was over
-- and is down again is new for its people: its acknowledgement ends.
WITH touched AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[])
        AS t (child, parent, area, station, thing, before, after)
), place AS MATERIALIZED (
    SELECT area, share_area(area) AS share FROM (SELECT DISTINCT area FROM touched) AS named
), unit AS MATERIALIZED (
    SELECT t.parent, place.share, t.thing, t.station, array_agg(t.child) AS touched, max(t.before) AS before, max(t.after) AS after
    FROM touched t JOIN place ON place.area = t.area JOIN incident p ON p.id = t.parent
    WHERE p.station IS NULL AND (t.station IS NOT NULL OR p.kind = 'blind_spot')
    GROUP BY 1, 2, 3, 4
), moved AS (
    SELECT parent, share, sum(sign(greatest(after, rest)) - sign(greatest(before, rest)))::int AS children,
           sum((greatest(after, rest) = 2)::int - (greatest(before, rest) = 2)::int)::int AS down
    FROM (SELECT u.*, coalesce(CASE WHEN u.station IS NOT NULL
                 THEN (SELECT max(CASE WHEN c.status <> 'closed' OR c.reopen_at IS NOT NULL THEN 2 ELSE 1 END)
                       FROM incident c WHERE c.parent = u.parent AND c.station = u.station
                         AND u.thing = CASE WHEN c.kind = 'health' THEN c.key ELSE c.station END
                         AND c.id <> ALL (u.touched) AND share_area(c.area) = u.share)
                 ELSE (SELECT max(CASE WHEN c.status <> 'closed' OR c.reopen_at IS NOT NULL THEN 2 ELSE 1 END)
                       FROM incident c WHERE c.key = u.thing AND c.parent = u.parent
                         AND c.id <> ALL (u.touched) AND share_area(c.area) = u.share) END, 0) AS rest
          FROM unit u) AS with_others
    GROUP BY parent, share
), down_again AS (
    DELETE FROM incident_share_ack k USING moved m, incident_share s
    WHERE m.down > 0 AND (s.incident, s.area) = (m.parent, m.share) AND s.down = 0 AND (k.incident, k.area) = (m.parent, m.share)
)
INSERT INTO incident_share (incident, area, children, down)
SELECT m.parent, m.share, greatest(coalesce(s.children, 0) + m.children, 0), greatest(coalesce(s.down, 0) + m.down, 0)
FROM moved m LEFT JOIN incident_share s ON s.incident = m.parent AND s.area = m.share
WHERE m.children <> 0 OR m.down <> 0
ORDER BY m.parent, m.share
ON CONFLICT (incident, area) DO UPDATE SET children = excluded.children, down = excluded.down;

-- name: not_over
-- The incidents that go on, and those that are over while a child goes on.
SELECT id FROM incident WHERE status <> 'closed' OR reopen_at IS NOT NULL
UNION SELECT parent FROM incident WHERE (status <> 'closed' OR reopen_at IS NOT NULL) AND parent IS NOT NULL;

-- name: parents_of_stations
-- The incidents that were ever the common cause of one of a station.
SELECT DISTINCT parent FROM incident WHERE station = ANY ($1::text[]) AND parent IS NOT NULL;

-- name: left_behind
-- The stations of incidents that go on in another area than that of their station: it moved while no process ran.
SELECT DISTINCT i.station FROM incident i JOIN station s ON s.id = i.station
WHERE (i.status <> 'closed' OR i.reopen_at IS NOT NULL) AND i.area <> s.area;

-- name: move_over
-- The incidents that were not over when their station moved, and are now.
UPDATE incident i SET area = s.area FROM station s
WHERE i.station = ANY ($1::text[]) AND s.id = i.station AND i.area IS DISTINCT FROM s.area
  AND i.status = 'closed' AND i.reopen_at IS NULL;

-- name: recount_shares
-- Count all children of some incidents; only what differs is written. A share stays when it has no children any more.
WITH child AS MATERIALIZED (
    SELECT c.parent, c.area, c.status <> 'closed' OR c.reopen_at IS NOT NULL AS down,
           CASE WHEN c.kind <> 'health' AND c.station IS NOT NULL THEN c.station
                WHEN c.kind = 'health' OR p.kind = 'blind_spot' THEN c.key END AS thing
    FROM incident p JOIN incident c ON c.parent = p.id
    WHERE p.id = ANY ($1::bigint[]) AND p.station IS NULL AND c.area IS NOT NULL
), place AS MATERIALIZED (
    SELECT area, share_area(area) AS share FROM (SELECT DISTINCT area FROM child) AS named
), counted AS (
    SELECT child.parent, place.share, count(DISTINCT thing) AS children, count(DISTINCT thing) FILTER (WHERE down) AS down
    FROM child JOIN place ON place.area = child.area WHERE thing IS NOT NULL GROUP BY 1, 2
), gone AS (
    UPDATE incident_share s SET children = 0, down = 0
    WHERE s.incident = ANY ($1) AND (s.children, s.down) <> (0, 0)
      AND NOT EXISTS (SELECT FROM counted WHERE counted.parent = s.incident AND counted.share = s.area)
)
INSERT INTO incident_share (incident, area, children, down)
SELECT c.parent, c.share, c.children, c.down FROM counted c
WHERE NOT EXISTS (SELECT FROM incident_share s WHERE s.incident = c.parent AND s.area = c.share
                  AND (s.children, s.down) = (c.children, c.down))
ORDER BY c.parent, c.share
ON CONFLICT (incident, area) DO UPDATE SET children = excluded.children, down = excluded.down;

-- name: reopen_shares
-- An incident that opens again is new for its counties too.
DELETE FROM incident_share_ack WHERE incident = ANY ($1::bigint[]);

-- name: insert_notifications
-- `round`: how often the incident was reopened; each phase is notified once in each round.
INSERT INTO notification (incident, phase, round, created_at, not_before)
SELECT incident, phase, round, $1, not_before
FROM unnest($2::bigint[], $3::text[], $4::int[], $5::timestamptz[]) AS m (incident, phase, round, not_before)
ON CONFLICT (incident, phase, round) DO NOTHING;

-- name: lock_incident
SELECT status, detail, eta_at FROM incident WHERE id = $1 FOR UPDATE;

-- name: acknowledge_incident
UPDATE incident SET status = 'acknowledged', acknowledged_at = $3, acknowledged_by = $2, acknowledged_remark = $4,
                    eta_at = $5, first_acknowledged_at = coalesce(first_acknowledged_at, $3)
WHERE id = $1;

-- name: assign_incident
UPDATE incident SET assignee = $2 WHERE id = $1;

-- name: shelve_incident
-- Close an incident by hand; its fault may go on, so the incident is reopened at $4. Returns whether people are
-- notified of the closing, and the round of that notification.
UPDATE incident
SET status = 'closed', closed_at = $3, reopen_at = $4,
    detail = detail || jsonb_strip_nulls(jsonb_build_object(
        'shelved_by', 'person', 'resolved_by', $2::text, 'resolved_reason', $5::text, 'resolved_remark', $6::text))
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
INSERT INTO incident_entry (incident, at, actor, action, text, remark) VALUES ($1, $2, $3, $4, $5, $6);

-- name: insert_notification
INSERT INTO notification (incident, phase, round, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (incident, phase, round) DO NOTHING;

-- name: tell_incident
SELECT pg_notify('milepost_incident', '');

-- name: tell_delivery
SELECT pg_notify('milepost_delivery', '');
