-- name: own_contacts
-- The contacts of an account ($1), or the contact in the request ($2), without retired contacts and rooms.
SELECT id, name, account FROM contact
WHERE CASE WHEN $2::text IS NULL THEN account = $1 ELSE id = $2 END AND NOT room AND retired_at IS NULL
ORDER BY id COLLATE "C";

-- name: own_incidents
-- The open incidents that concern a person, the oldest first: assigned to or acknowledged by one of the names $1, themselves or
-- by a share with something down; in the latest pages to the contacts $2; or in the areas $3 ($4: everywhere) where the person
-- is on duty. An incident is not listed for a duty if its cause is listed for the same duty, because it ends with its cause.
WITH duty AS MATERIALIZED (
    SELECT id, parent FROM incident
    WHERE status <> 'closed' AND (detail -> 'quiet') IS DISTINCT FROM 'true' AND ($4::boolean OR area = ANY ($3::text[]))
), shares AS MATERIALIZED (
    SELECT id, parent FROM scoped.shared_incident
    WHERE status <> 'closed' AND down > 0 AND (detail -> 'quiet') IS DISTINCT FROM 'true'
      AND ($4 OR id IN (SELECT s.incident FROM scoped.seen_share s WHERE s.area = ANY ($3)))
), listed AS (SELECT id, parent FROM duty UNION SELECT id, parent FROM shares),
share AS (
    SELECT k.incident, k.assignee, k.acknowledged_by
    FROM incident_share_ack k JOIN incident_share s USING (incident, area)
    WHERE s.down > 0 AND (k.assignee = ANY ($1::text[]) OR k.acknowledged_by = ANY ($1))
), mine AS (
    SELECT id, 'assigned' AS why, 1 AS place FROM incident WHERE status <> 'closed' AND assignee = ANY ($1::text[])
    UNION ALL
    SELECT id, 'acknowledged', 2 FROM incident WHERE status = 'acknowledged' AND acknowledged_by = ANY ($1)
    UNION ALL
    SELECT incident, 'assigned', 1 FROM share WHERE assignee = ANY ($1)
    UNION ALL
    SELECT incident, 'acknowledged', 2 FROM share WHERE acknowledged_by = ANY ($1)
    UNION ALL
    SELECT incident, 'paged', 3
    FROM (SELECT incident FROM page WHERE recipient = ANY ($2::text[]) AND status <> 'cancelled' ORDER BY id DESC LIMIT 5000) AS p
    UNION ALL
    SELECT id, 'duty', 4 FROM listed WHERE parent IS NULL OR parent NOT IN (SELECT id FROM listed)
), found AS (
    SELECT id, array_agg(DISTINCT place ORDER BY place) AS places FROM mine GROUP BY id
)
SELECT i.id, ARRAY(SELECT (ARRAY['assigned', 'acknowledged', 'paged', 'duty'])[place] FROM unnest(f.places) AS place) AS why
FROM found f
JOIN (SELECT id, began_at, status FROM incident UNION ALL SELECT id, began_at, status FROM scoped.shared_incident) AS i
  ON i.id = f.id
WHERE i.status <> 'closed'
ORDER BY i.began_at, i.id LIMIT $5;

-- name: work_items
-- The facts about the incidents $1 that are needed to travel to their stations. An incident that reaches beyond the
-- scope is shown by its share. An open incident has the ETA of a share, if that has passed.
WITH found AS (
    SELECT i.id, i.kind, i.status, i.station, coalesce(i.area, s.area) AS area, i.began_at, i.acknowledged_by,
           CASE WHEN i.status = 'open'
                THEN (SELECT min(k.eta_at) FROM incident_share_ack k JOIN incident_share x USING (incident, area)
                      WHERE k.incident = i.id AND x.down > 0 AND k.eta_at <= now()) ELSE i.eta_at END AS eta_at,
           i.assignee, i.detail, s.name, s.name_en, s.address, s.lat, s.lon, s.calendar,
           (SELECT coalesce(sum(down), 0)::int FROM incident_share x WHERE x.incident = i.id) AS stations_down
    FROM incident i LEFT JOIN station s ON s.id = i.station WHERE i.id = ANY ($1::bigint[])
    UNION ALL
    SELECT i.id, i.kind, i.status, NULL, coalesce(i.share, i.area), i.began_at, i.acknowledged_by, i.eta_at, i.assignee, i.detail,
           NULL, NULL, NULL, NULL, NULL, NULL, i.down
    FROM scoped.shared_incident i WHERE i.id = ANY ($1)
)
SELECT f.*, (SELECT up.code FROM area own JOIN area up ON up.code = ANY (own.path) AND up.level = 'township'
             WHERE own.code = f.area ORDER BY cardinality(up.path) LIMIT 1) AS township
FROM found f ORDER BY array_position($1, f.id);

-- name: unowned_incidents
-- Open incidents without an acknowledgement and without an assignee, the oldest first, in areas ($1; null: everywhere,
-- or all below $2). Incidents that reach beyond the scope are listed while a share in the scope is down ($4: only
-- shares of these areas). Parts of another visible incident, and quiet incidents, are left out, as in list_incidents.
SELECT id, count(*) OVER () AS many FROM (
    SELECT i.id, i.began_at FROM incident i
    WHERE i.status = 'open' AND i.assignee IS NULL AND (i.detail -> 'quiet') IS DISTINCT FROM 'true'
      AND ($1::text[] IS NULL OR i.area = ANY ($1))
      AND ($2::text[] IS NULL OR i.area IN (SELECT code FROM areas_below($2) AS code))
      AND (i.parent IS NULL OR NOT (SELECT scope_is_whole())
           AND NOT EXISTS (SELECT FROM incident p WHERE p.id = i.parent)
           AND NOT EXISTS (SELECT FROM incident_share x WHERE x.incident = i.parent AND x.area = share_area(i.area)))
    UNION ALL
    SELECT id, began_at FROM scoped.shared_incident
    WHERE status = 'open' AND parent IS NULL AND down > 0 AND (detail -> 'quiet') IS DISTINCT FROM 'true'
      AND (NOT $4::boolean OR id IN (SELECT s.incident FROM scoped.seen_share s
                                     WHERE s.area = ANY ($1) OR s.area IN (SELECT code FROM areas_below($2) AS code)))
) AS found ORDER BY began_at, id LIMIT $3;

-- name: overdue_incidents
-- Incidents whose ETA has passed, the longest first, in areas ($1, $2 and $4 as before): of their acknowledgement, or of that of
-- a share with something down, unless an acknowledgement of the whole incident counts.
SELECT id, count(*) OVER () AS many FROM (
    SELECT i.id, least(own.eta_at, late.eta_at) AS since
    FROM incident i
    CROSS JOIN LATERAL (SELECT CASE WHEN i.status = 'acknowledged' THEN i.eta_at END) AS own (eta_at)
    CROSS JOIN LATERAL (SELECT min(k.eta_at) FROM incident_share_ack k JOIN incident_share s USING (incident, area)
                        WHERE k.incident = i.id AND s.down > 0 AND k.eta_at <= now()) AS late (eta_at)
    WHERE i.status <> 'closed' AND (own.eta_at <= now() OR i.status = 'open' AND late.eta_at IS NOT NULL)
      AND ($1::text[] IS NULL OR i.area = ANY ($1))
      AND ($2::text[] IS NULL OR i.area IN (SELECT code FROM areas_below($2) AS code))
    UNION ALL
    SELECT id, eta_at FROM scoped.shared_incident
    WHERE status = 'acknowledged' AND eta_at <= now() AND down > 0
      AND (NOT $4::boolean OR id IN (SELECT s.incident FROM scoped.seen_share s
                                     WHERE s.area = ANY ($1) OR s.area IN (SELECT code FROM areas_below($2) AS code)))
) AS found ORDER BY since, id LIMIT $3;

-- name: escalated_incidents
-- Open incidents with a page from a later step of the route since they last opened, the oldest first, in areas ($1, $2 and
-- $4 as before); of an incident that reaches beyond the scope, with such a page about a share in the scope.
SELECT id, count(*) OVER () AS many FROM (
    SELECT id, began_at FROM incident i
    WHERE status <> 'closed' AND parent IS NULL
      AND ($1::text[] IS NULL OR area = ANY ($1))
      AND ($2::text[] IS NULL OR area IN (SELECT code FROM areas_below($2) AS code))
      AND EXISTS (SELECT FROM page p JOIN escalation e ON e.incident = p.incident
                  WHERE p.incident = i.id AND p.phase = 'escalated' AND p.status <> 'cancelled'
                    AND p.round >= coalesce((e.state ->> 'since')::int, 0))
    UNION ALL
    SELECT id, began_at FROM scoped.shared_incident i
    WHERE status <> 'closed' AND parent IS NULL AND down > 0
      AND (NOT $4::boolean OR id IN (SELECT s.incident FROM scoped.seen_share s
                                     WHERE s.area = ANY ($1) OR s.area IN (SELECT code FROM areas_below($2) AS code)))
      AND EXISTS (SELECT FROM page p JOIN share_escalation e ON (e.incident, e.share) = (p.incident, p.share)
                  WHERE p.incident = i.id AND p.phase = 'escalated' AND p.status <> 'cancelled'
                    AND p.round >= coalesce((e.state ->> 'since')::int, 0))
) AS found ORDER BY began_at, id LIMIT $3;

-- name: answered_incidents
-- The incidents that people were notified of and that opened in [$4, $5) in areas ($1 and $2 as before), the newest
-- first, with the times of acknowledgement and end.
SELECT i.id, i.kind, i.area, s.calendar, i.began_at, i.opened_at, i.first_acknowledged_at AS acknowledged_at, i.ended_at
FROM incident i LEFT JOIN station s ON s.id = i.station
WHERE i.parent IS NULL AND i.opened_at >= $4 AND i.opened_at < $5 AND (i.detail -> 'quiet') IS DISTINCT FROM 'true'
  AND ($1::text[] IS NULL OR i.area = ANY ($1))
  AND ($2::text[] IS NULL OR i.area IN (SELECT code FROM areas_below($2) AS code))
ORDER BY i.opened_at DESC LIMIT $3;

-- name: causes_of_repairs
-- The cause in the newest repair of each incident ($1); a repair that did not hold counts only if there is no other
-- repair.
SELECT DISTINCT ON (incident) incident, cause FROM repair WHERE incident = ANY ($1::bigint[])
ORDER BY incident, (outcome IS DISTINCT FROM 'failed') DESC, id DESC;

-- name: known_areas
-- The existing areas among these, within the scope.
SELECT code FROM area WHERE code = ANY ($1::text[]) ORDER BY code;

-- name: paths_of_areas
SELECT code, path FROM area WHERE code = ANY ($1::text[]);

-- name: calendars
-- The rules from which the openings of calendars are computed.
SELECT id, definition FROM calendar WHERE id = ANY ($1::bigint[]);
