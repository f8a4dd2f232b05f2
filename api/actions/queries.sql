-- name: hold_on_incident
-- How much of an incident the scope holds: `whole`, a `share`, a `part` of a share or nothing that may be acted on.
SELECT CASE WHEN EXISTS (SELECT FROM incident i WHERE i.id = $1 AND (scope_is_whole() OR i.station IS NOT NULL OR i.area IS NOT NULL))
            THEN 'whole'
            WHEN EXISTS (SELECT FROM scoped.shared_incident i WHERE i.id = $1 AND i.held) THEN 'share'
            WHEN EXISTS (SELECT FROM scoped.shared_incident i WHERE i.id = $1) THEN 'part'
            WHEN EXISTS (SELECT FROM incident i WHERE i.id = $1) THEN 'part' END;

-- name: held_shares
-- The shares that the scope holds, with the status of each.
SELECT s.area, a.incident IS NOT NULL AS acknowledged, a.eta_at
FROM incident_share s LEFT JOIN incident_share_ack a ON a.incident = s.incident AND a.area = s.area
WHERE s.incident = $1 ORDER BY s.area;

-- name: is_closed
SELECT i.status = 'closed' FROM scoped.shared_incident i WHERE i.id = $1;

-- name: acknowledge_shares
-- Shares that another account acknowledged meanwhile ($7: the ETAs known before) stay as they are. The order of the rows prevents
-- deadlocks between two accounts that acknowledge the same shares.
INSERT INTO incident_share_ack AS a (incident, area, acknowledged_at, acknowledged_by, acknowledged_remark, eta_at)
SELECT $1, area, $4, $3, $5, $6 FROM unnest($2::text[]) AS area ORDER BY area
ON CONFLICT (incident, area) DO UPDATE
SET acknowledged_at = excluded.acknowledged_at, acknowledged_by = excluded.acknowledged_by,
    acknowledged_remark = excluded.acknowledged_remark, eta_at = excluded.eta_at
WHERE a.area = ANY ($8::text[]) AND a.eta_at IS NOT DISTINCT FROM ($7::timestamptz[])[array_position($8, a.area)]
RETURNING area;

-- name: hand_over_shares
-- Assign shares to a person. A share without an acknowledgement, or whose ETA has passed, is acknowledged too.
INSERT INTO incident_share_ack AS a (incident, area, acknowledged_at, acknowledged_by, acknowledged_remark, eta_at, assignee)
SELECT $1, area, $4, $3, $5, $6, $7 FROM unnest($2::text[]) AS area ORDER BY area
ON CONFLICT (incident, area) DO UPDATE
SET assignee = excluded.assignee,
    acknowledged_at = CASE WHEN a.eta_at <= $4 THEN excluded.acknowledged_at ELSE a.acknowledged_at END,
    acknowledged_by = CASE WHEN a.eta_at <= $4 THEN excluded.acknowledged_by ELSE a.acknowledged_by END,
    acknowledged_remark = CASE WHEN a.eta_at <= $4 THEN excluded.acknowledged_remark ELSE a.acknowledged_remark END,
    eta_at = CASE WHEN a.eta_at <= $4 THEN excluded.eta_at ELSE a.eta_at END;

-- name: insert_share_entries
-- An entry in the history of each share.
INSERT INTO incident_entry (incident, share, at, actor, action, text, remark)
SELECT $1, area, $3, $4, $5, $6, $7 FROM unnest($2::text[]) AS area;

-- name: tell_incident
SELECT pg_notify('milepost_incident', '');
