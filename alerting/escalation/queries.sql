-- name: claim_notifications
-- The incidents of new notifications, critical ones ($2: kinds that are) first. A notification that is held until its station
-- opens waits, and so do later ones of the same incident; so a pass has at most one of an incident.
WITH fresh AS (
    SELECT n.id FROM notification n JOIN incident i ON i.id = n.incident
    WHERE n.routed_at IS NULL AND (n.not_before IS NULL OR n.not_before <= now())
      AND NOT EXISTS (SELECT FROM notification before
                      WHERE before.incident = n.incident AND before.id < n.id AND before.routed_at IS NULL)
    ORDER BY coalesce(i.detail ->> 'severity' = 'critical', i.kind = ANY ($2::text[])) DESC, n.id
    LIMIT $1 FOR UPDATE OF n SKIP LOCKED
)
UPDATE notification n SET routed_at = clock_timestamp() FROM fresh WHERE n.id = fresh.id
RETURNING n.incident, n.phase;

-- name: take_wakes
-- What happened makes escalations due now. A row may be there before the escalation of its incident, whose process has not
-- committed yet; it waits for that, but not for ever, because most incidents that people are not told of have none.
WITH gone AS (
    DELETE FROM escalation_wake WHERE id IN (
        SELECT id FROM escalation_wake w
        WHERE incident IS NULL OR at < now() - interval '10 minutes'
           OR EXISTS (SELECT FROM escalation e WHERE e.incident = w.incident)
        ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING incident
), named AS (
    SELECT incident FROM gone WHERE incident IS NOT NULL
    UNION
    SELECT e.incident FROM escalation e WHERE e.over_at IS NULL AND EXISTS (SELECT FROM gone WHERE gone.incident IS NULL)
    UNION
    SELECT p.incident FROM page p
    WHERE p.status IN ('owed', 'sending') AND EXISTS (SELECT FROM gone WHERE gone.incident IS NULL)
), woken AS (
    SELECT incident FROM escalation WHERE incident IN (SELECT incident FROM named)
    ORDER BY incident FOR UPDATE
)
UPDATE escalation e SET wake_at = least(e.wake_at, now()) FROM woken WHERE e.incident = woken.incident
RETURNING e.incident;

-- name: claim_due
-- The escalations that are due, the longest due first. They stay locked until the transaction ends.
SELECT incident FROM escalation WHERE wake_at <= now() ORDER BY wake_at LIMIT $1 FOR UPDATE SKIP LOCKED;

-- name: claim_due_parts
-- The escalations of incidents with a part that is due. The lock of the incident protects its parts too.
SELECT incident FROM escalation WHERE incident IN (SELECT incident FROM share_escalation WHERE wake_at <= now())
ORDER BY incident LIMIT $1 FOR UPDATE SKIP LOCKED;

-- name: lock_escalations
-- In one order for all processes.
SELECT incident FROM escalation WHERE incident = ANY ($1::bigint[]) ORDER BY incident FOR UPDATE;

-- name: load_incidents
-- Incidents as they are now, with what routes ask about them and how far their escalations came.
SELECT i.id, i.kind, i.status, i.station, i.parent, i.detail, i.acknowledged_at, i.acknowledged_by, i.assignee, i.eta_at,
       i.reopen_at, s.kind AS station_kind, s.calendar, coalesce(a.path, '{}') AS path, now() AS now,
       coalesce((SELECT jsonb_object_agg(up.code, up.level) FROM area up
                 WHERE up.code = ANY (a.path) AND up.level IS NOT NULL), '{}') AS levels,
       ARRAY(SELECT programme FROM station_programme sp WHERE sp.station = s.id ORDER BY programme) AS programmes,
       i.kind = 'unusable' AND EXISTS (SELECT FROM incident c WHERE c.parent = i.id) AS has_children,
       (SELECT max(n.not_before) FROM notification n
        WHERE n.incident = i.id AND n.routed_at IS NULL AND n.not_before > now()) AS held_until,
       -- A notification that this transaction claimed.
       EXISTS (SELECT FROM notification n
               WHERE n.incident = i.id AND n.routed_at >= now() AND n.not_before IS NOT NULL) AS was_held,
       e.incident IS NOT NULL AS known, e.plan, e.state
FROM incident i
LEFT JOIN station s ON s.id = i.station
LEFT JOIN area a ON a.code = coalesce(i.area, s.area)
LEFT JOIN escalation e ON e.incident = i.id
WHERE i.id = ANY ($1::bigint[])
ORDER BY array_position($1, i.id);

-- name: load_parts
-- The parts of incidents with children, as they are now, with the states of their escalations: one part for each area
-- where something is or was down, and each part that has an escalation, also if nothing of the incident is in its area any more.
-- No part begins for an area above the area of an incident, and none for that area itself, because the incident covers it;
-- and none for an incident whose escalation is over.
SELECT i.id AS incident, place.area, coalesce(a.path, ARRAY[place.area]) AS path, coalesce(p.children, 0) AS children,
       coalesce(p.down, 0) AS down, coalesce(p.counted, false) AS counted, p.acknowledged_at, p.acknowledged_by, p.assignee,
       p.eta_at,
       coalesce((SELECT jsonb_object_agg(up.code, up.level) FROM area up
                 WHERE up.code = ANY (a.path) AND up.level IS NOT NULL), '{}') AS levels,
       e.plan, e.state, e.wake_at
FROM (SELECT * FROM share_part WHERE incident = ANY ($1::bigint[])) AS p
FULL JOIN (SELECT * FROM share_escalation WHERE incident = ANY ($1)) AS e ON (e.incident, e.share) = (p.incident, p.area)
CROSS JOIN LATERAL (SELECT coalesce(p.area, e.share)) AS place (area)
JOIN incident i ON i.id = coalesce(p.incident, e.incident)
LEFT JOIN area a ON a.code = place.area
LEFT JOIN area own ON own.code = i.area
LEFT JOIN escalation whole ON whole.incident = i.id
WHERE e.incident IS NOT NULL
   OR p.children > 0 AND a.code IS NOT NULL AND p.area <> ALL (coalesce(own.path, '{}')) AND whole.over_at IS NULL
ORDER BY i.id, cardinality(a.path), place.area;

-- name: move_to_parts
-- Incidents that grew: their plans, states, logs and pages become those of the parts in the areas of the plans. The incident keeps
-- its state, from which its next round begins. An incident waits if another process has locked one of its pages.
WITH wanted AS (
    SELECT * FROM unnest($1::bigint[], $2::text[]) AS m (incident, share)
), free AS (
    SELECT p.id, p.incident FROM page p JOIN wanted w ON w.incident = p.incident WHERE p.share = ''
    FOR UPDATE OF p SKIP LOCKED
), moved AS (
    SELECT w.incident, w.share FROM wanted w
    WHERE (SELECT count(*) FROM free WHERE free.incident = w.incident)
        = (SELECT count(*) FROM page p WHERE p.incident = w.incident AND p.share = '')
), pages AS (
    UPDATE page p SET share = m.share FROM free f JOIN moved m ON m.incident = f.incident WHERE p.id = f.id
), emptied AS (
    UPDATE escalation e SET log = '[]' FROM moved m WHERE e.incident = m.incident
)
INSERT INTO share_escalation AS s (incident, share, route, plan, state, log, wake_at)
SELECT m.incident, m.share, e.route, jsonb_set(e.plan, '{outgrown}', 'true'), e.state, e.log, now()
FROM moved m JOIN escalation e ON e.incident = m.incident
ON CONFLICT (incident, share) DO UPDATE
SET route = excluded.route, plan = excluded.plan, state = excluded.state, log = excluded.log, wake_at = excluded.wake_at,
    over_at = NULL
RETURNING s.incident;

-- name: load_pages
-- The pages of incidents; `may_be_taken`: an attempt was taken, or nobody knows.
SELECT p.incident, p.share, p.id, p.recipient, p.phase, p.step, p.round, p.status, p.not_before, p.reason, c.room,
       EXISTS (SELECT FROM message_page l JOIN attempt t ON t.message = l.message
               WHERE l.page = p.id AND (t.outcome IS NULL OR t.outcome IN ('taken', 'unknown'))) AS may_be_taken
FROM page p JOIN contact c ON c.id = p.recipient WHERE p.incident = ANY ($1::bigint[]) ORDER BY p.id;

-- name: load_openings
-- The openings of calendars that end after $2 and begin before $3.
SELECT calendar, opens_at, closes_at FROM calendar_opening
WHERE calendar = ANY ($1::bigint[]) AND closes_at > $2 AND opens_at < $3 ORDER BY calendar, opens_at;

-- name: insert_pages
-- A page that is there already stays as it is.
INSERT INTO page (incident, share, recipient, phase, step, round, severity, not_before, why, created_at)
SELECT incident, share, recipient, phase, step, round, severity, not_before, why::jsonb, $9
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::int[], $5::int[], $6::text[], $7::timestamptz[], $8::text[], $10::text[])
     AS m (incident, recipient, phase, step, round, severity, not_before, why, share)
ON CONFLICT (incident, share, recipient, phase, step, round) DO NOTHING
RETURNING id;

-- name: cancel_pages
-- Pages that are not to be sent any more; one that a process is about to send is left to it. Noted in the history.
WITH free AS (
    SELECT id FROM page WHERE id = ANY ($1::bigint[]) AND status = 'owed' FOR NO KEY UPDATE SKIP LOCKED
), cancelled AS (
    UPDATE page p SET status = 'cancelled', reason = given.reason, settled_at = now()
    FROM unnest($1::bigint[], $2::text[]) AS given (id, reason) JOIN free ON free.id = given.id
    WHERE p.id = given.id
    RETURNING p.id, p.incident, p.share, p.phase, p.recipient
), noted AS (
    INSERT INTO incident_entry (incident, actor, action, text, share)
    SELECT incident, 'milepost', 'not_told', phase || ' → ' || recipient, nullif(share, '') FROM cancelled
)
SELECT id FROM cancelled;

-- name: hold_pages
-- Pages that wait until another time (NULL: no longer; `not_before` says that they were held).
WITH free AS (
    SELECT id FROM page WHERE id = ANY ($1::bigint[]) AND status = 'owed' FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE page p SET not_before = coalesce(given.until, now())
FROM unnest($1::bigint[], $2::timestamptz[]) AS given (id, until) JOIN free ON free.id = given.id
WHERE p.id = given.id
RETURNING p.id;

-- name: rate_pages
-- Owed pages of incidents and of their parts get the new severity.
WITH free AS (
    SELECT id FROM page WHERE incident = ANY ($1::bigint[]) AND status = 'owed' FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE page p SET severity = given.severity
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS given (incident, share, severity), free
WHERE p.id = free.id AND (p.incident, p.share) = (given.incident, given.share) AND p.severity <> given.severity;

-- name: save_escalations
-- The log keeps its newest 500 lines.
INSERT INTO escalation AS e (incident, route, plan, state, log, wake_at, over_at)
SELECT incident, route, plan::jsonb, state::jsonb, log::jsonb, wake_at, CASE WHEN is_over THEN now() END
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::boolean[])
     AS m (incident, route, plan, state, log, wake_at, is_over)
ON CONFLICT (incident) DO UPDATE
SET route = coalesce(excluded.route, e.route), plan = coalesce(excluded.plan, e.plan),
    state = coalesce(excluded.state, e.state), wake_at = excluded.wake_at,
    over_at = CASE WHEN excluded.over_at IS NOT NULL THEN coalesce(e.over_at, excluded.over_at) END,
    log = CASE WHEN jsonb_array_length(e.log) + jsonb_array_length(excluded.log) <= 500 THEN e.log || excluded.log
               ELSE jsonb_path_query_array(e.log || excluded.log, '$[last - 499 to last]') END;

-- name: save_share_escalations
-- As save_escalations, for parts.
INSERT INTO share_escalation AS e (incident, share, route, plan, state, log, wake_at, over_at)
SELECT incident, share, route, plan::jsonb, state::jsonb, log::jsonb, wake_at, CASE WHEN is_over THEN now() END
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::boolean[], $8::text[])
     AS m (incident, route, plan, state, log, wake_at, is_over, share)
ON CONFLICT (incident, share) DO UPDATE
SET route = coalesce(excluded.route, e.route), plan = coalesce(excluded.plan, e.plan),
    state = coalesce(excluded.state, e.state), wake_at = excluded.wake_at,
    over_at = CASE WHEN excluded.over_at IS NOT NULL THEN coalesce(e.over_at, excluded.over_at) END,
    log = CASE WHEN jsonb_array_length(e.log) + jsonb_array_length(excluded.log) <= 500 THEN e.log || excluded.log
               ELSE jsonb_path_query_array(e.log || excluded.log, '$[last - 499 to last]') END;

-- name: rest_incident
-- An incident that cannot be processed now is tried again after a minute. Whatever cannot be read of it stays as it is.
INSERT INTO escalation (incident, wake_at) VALUES ($1, now() + interval '1 minute')
ON CONFLICT (incident) DO UPDATE SET wake_at = excluded.wake_at, over_at = NULL;

-- name: rest_parts
-- As rest_incident, for the parts of an incident that are due.
UPDATE share_escalation SET wake_at = now() + interval '1 minute' WHERE incident = $1 AND wake_at <= now();

-- name: next_wake
-- Seconds until the next escalation or notification is due; NULL: none will be. At most 0: one is due, and the pass left it
-- out because another process had locked its row, or because it claims one notification of an incident at a time.
SELECT extract(epoch FROM least(
           (SELECT min(wake_at) FROM escalation WHERE wake_at IS NOT NULL),
           (SELECT min(wake_at) FROM share_escalation WHERE wake_at IS NOT NULL),
           (SELECT min(not_before) FROM notification WHERE routed_at IS NULL AND not_before > now()),
           (SELECT now() WHERE EXISTS (
               SELECT FROM notification n
               WHERE n.routed_at IS NULL AND (n.not_before IS NULL OR n.not_before <= now())
                 AND NOT EXISTS (SELECT FROM notification before
                                 WHERE before.incident = n.incident AND before.id < n.id AND before.routed_at IS NULL)))
       ) - now())::float8;

-- name: tell_delivery
SELECT pg_notify('milepost_page', '');
