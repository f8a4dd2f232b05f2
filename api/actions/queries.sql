-- name: hold_on_incident
-- How much of an incident the scope holds: `whole`, a `share`, a `part` of a share or nothing that may be acted on.
SELECT CASE WHEN EXISTS (SELECT FROM incident i WHERE i.id = $1 AND (scope_is_whole() OR i.station IS NOT NULL OR i.area IS NOT NULL))
            THEN 'whole'
            WHEN EXISTS (SELECT FROM scoped.shared_incident i WHERE i.id = $1 AND i.held) THEN 'share'
            WHEN EXISTS (SELECT FROM scoped.shared_incident i WHERE i.id = $1) THEN 'part'
            WHEN EXISTS (SELECT FROM incident i WHERE i.id = $1) THEN 'part' END;

-- name: lock_shares
-- The shares that the scope holds, with the status of each.
SELECT s.area, s.acknowledged_at IS NOT NULL AS acknowledged FROM incident_share s WHERE s.incident = $1
ORDER BY s.area FOR UPDATE;

-- name: is_closed
SELECT i.status = 'closed' FROM scoped.shared_incident i WHERE i.id = $1;

-- name: acknowledge_shares
UPDATE incident_share SET acknowledged_at = $4, acknowledged_by = $3, acknowledged_remark = $5
WHERE incident = $1 AND area = ANY ($2::text[]);

-- name: insert_share_entries
-- An entry in the history of each share.
INSERT INTO incident_entry (incident, share, at, actor, action, text, remark)
SELECT $1, area, $3, $4, $5, $6, $7 FROM unnest($2::text[]) AS area;

-- name: tell_incident
SELECT pg_notify('milepost_incident', '');
