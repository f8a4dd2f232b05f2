-- name: lock_incident
-- The incident, and whether its fault goes on as a newer one.
SELECT i.status, i.station,
       EXISTS (SELECT FROM incident newer WHERE newer.key = i.key AND newer.id > i.id
               AND (newer.status <> 'closed' OR newer.reopen_at IS NOT NULL)) AS newer
FROM incident i WHERE i.id = $1 FOR UPDATE OF i;

-- name: overtake_repair
-- A newer repair of the same incident replaces a repair that is not verified yet.
UPDATE repair SET outcome = 'overtaken', why = 'said_again', outcome_at = $2
WHERE incident = $1 AND stable IS NOT NULL AND outcome IS NULL RETURNING id;

-- name: insert_repair
INSERT INTO repair (incident, at, made_by, remark, cause, parts, text, stable, verify_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $2::timestamptz + $8::interval) RETURNING id;

-- name: mark_fixed
-- The incident closes only after the repair is verified. If the incident is not acknowledged, the person who repaired the fault
-- becomes its owner until then.
UPDATE incident
SET detail = (detail - 'back_at') || jsonb_build_object('fixed_at', $3::timestamptz), status = 'acknowledged',
    acknowledged_at = CASE WHEN status = 'open' THEN $3 ELSE acknowledged_at END,
    acknowledged_by = CASE WHEN status = 'open' THEN $2 ELSE acknowledged_by END,
    acknowledged_remark = CASE WHEN status = 'open' THEN $4 ELSE acknowledged_remark END,
    eta_at = CASE WHEN status = 'open' THEN $5 ELSE greatest(eta_at, $5) END,
    first_acknowledged_at = coalesce(first_acknowledged_at, $3)
WHERE id = $1 AND status <> 'closed';

-- name: load_waiting
-- The repairs that are not verified yet, with their incidents, and the newer incident if the fault came back as another
-- incident. Due repairs come first: each pass settles or postpones them, so every repair gets its turn.
SELECT r.id AS repair, r.at, r.made_by, r.stable, r.verify_at, newer.id AS newer,
       coalesce(i.assignee, i.acknowledged_by, r.made_by) AS owner,
       i.id, i.kind, i.key, i.status, i.station, i.area, i.shard, i.began_at, i.opened_at, i.closed_at, i.ended_at,
       i.reopen_at, i.parent, i.detail
FROM repair r JOIN incident i ON i.id = r.incident
LEFT JOIN LATERAL (SELECT n.id FROM incident n
                   WHERE n.key = i.key AND n.id > i.id AND n.opened_at >= r.at ORDER BY n.id LIMIT 1) newer ON true
WHERE r.stable IS NOT NULL AND r.outcome IS NULL
ORDER BY r.verify_at, r.id LIMIT $1;

-- name: postpone
UPDATE repair SET verify_at = $2 WHERE id = $1;

-- name: settle
UPDATE repair SET outcome = $2, why = $3, outcome_at = $4, back_as = $5 WHERE id = $1;

-- name: hand_over
-- The fault came back as another incident: the same owner gets this incident, unless the incident has an owner already.
UPDATE incident SET assignee = $2 WHERE id = $1 AND assignee IS NULL AND acknowledged_by IS NULL RETURNING id;

-- name: tell_people
-- One page to each contact of some accounts. `round`: the id of the repair, so each repair has pages of its own.
INSERT INTO page (incident, recipient, phase, round, severity, why)
SELECT $1, c.id, $3, $4, $5, '{"because": "repair"}' FROM (
    SELECT DISTINCT ON (account) id FROM contact
    WHERE account = ANY ($2::text[]) AND retired_at IS NULL AND muted_at IS NULL AND NOT room ORDER BY account, id) AS c
ON CONFLICT (incident, share, recipient, phase, step, round) DO NOTHING;

-- name: list_repairs
-- The causes and repairs of an incident, the newest first.
SELECT id, incident, at, made_by, remark, cause, parts, text, stable IS NOT NULL AS fixed, verify_at, outcome, why, outcome_at,
       back_as
FROM repair WHERE incident = $1 ORDER BY id DESC LIMIT $2;

-- name: cause_facts
-- The facts about the cause of an incident ($1): the common factor of the stations of a common cause, the last health
-- record before the incident, whether the station ran during the incident, the boots before and after the incident, and
-- the number of other stations of the area that are heard. The bounds of time limit the rows that are read of each
-- table.
SELECT i.kind, coalesce(i.detail ->> 'cause', p.detail ->> 'cause') AS shared,
       coalesce(i.detail ->> 'name', p.detail ->> 'name') AS shared_name, i.detail ->> 'reason' AS reason,
       i.detail ->> 'rule' AS rule, before.temp, before.disk, before.rtt_ms, before.wifi, before.services,
       before.box AS box_before,
       (SELECT h.box FROM health h
        WHERE h.station = i.station AND h.terminal = before.terminal AND h.ts >= span.until AND h.ts < span.until + interval '1 day'
        ORDER BY h.ts LIMIT 1) AS box_after,
       EXISTS (SELECT FROM presence r
               WHERE r.station = i.station AND r.ts > i.began_at - interval '1 day' AND r.ts < coalesce(span.until, now())
                 AND r.until > i.began_at) AS ran_meanwhile,
       coalesce(near.every, 0) AS near, coalesce(near.down, 0) AS near_down
FROM incident i LEFT JOIN incident p ON p.id = i.parent
CROSS JOIN LATERAL (SELECT coalesce(i.ended_at, (i.detail ->> 'fault_ended')::timestamptz) AS until) AS span
LEFT JOIN LATERAL (SELECT h.* FROM health h
                   WHERE h.station = i.station AND h.ts <= i.began_at AND h.ts > i.began_at - interval '1 day'
                   ORDER BY h.ts DESC LIMIT 1) AS before ON true
LEFT JOIN LATERAL (SELECT count(*)::int AS every, (count(*) FILTER (WHERE t.state = 'offline'))::int AS down
                   FROM station s JOIN station_state t ON t.station = s.id
                   WHERE s.area = i.area AND s.id <> i.station AND s.lifecycle = 'commissioned') AS near ON i.station IS NOT NULL
WHERE i.id = $1;
