-- name: spread
-- Make a delivery for each target of a new notification; the idempotency key makes a repetition harmless. A notification
-- that is held until its station opens waits, and so do later ones of the same incident. The escalation claims the same rows:
-- a row that it has locked is left to the next pass, which `next_notification` makes due.
WITH fresh AS (
    SELECT id, incident, phase, round FROM notification n
    WHERE spread_at IS NULL AND (not_before IS NULL OR not_before <= now())
      AND NOT EXISTS (SELECT FROM notification held
                      WHERE held.incident = n.incident AND held.id < n.id AND held.spread_at IS NULL
                        AND held.not_before > now())
    ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
), made AS (
    INSERT INTO delivery (notification, target, idempotency_key)
    SELECT fresh.id, target,
           concat_ws('-', fresh.incident, fresh.phase, nullif(fresh.round, 0), target)
    FROM fresh CROSS JOIN unnest($1::text[]) AS target
    ORDER BY fresh.id
    ON CONFLICT DO NOTHING
)
UPDATE notification n
SET spread_at = clock_timestamp(),
    not_before = greatest(n.not_before, (SELECT max(held.not_before) FROM notification held
                                         WHERE held.incident = n.incident AND held.id < n.id))
FROM fresh WHERE n.id = fresh.id
RETURNING n.id;

-- name: claim
-- The next due delivery of a target, on lease: if the process dies before it marks the delivery, the delivery becomes due
-- again. Notifications of one incident are sent in their order. Overtaken are an opening whose incident is over or was
-- closed by a person, and a closing by a person whose opening was never delivered. A closing whose opening was never
-- delivered is delivered once, with the phase passed.
WITH due AS (
    SELECT d.id FROM delivery d JOIN notification n ON n.id = d.notification
    WHERE d.status = 'pending' AND d.target = $1 AND d.next_attempt_at <= now()
      AND greatest(n.created_at, n.not_before) >= now() - make_interval(secs => $3)
      AND NOT EXISTS (SELECT FROM notification m JOIN delivery e ON e.notification = m.id
                      WHERE m.incident = n.incident AND m.id < n.id AND e.target = $1 AND e.status = 'pending')
    ORDER BY d.next_attempt_at, d.id LIMIT 1 FOR UPDATE OF d SKIP LOCKED
), leased AS (
    UPDATE delivery d SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $2)
    FROM due WHERE d.id = due.id
    RETURNING d.id, d.notification, d.idempotency_key, d.attempts
)
SELECT l.id, l.idempotency_key, l.attempts,
       extract(epoch FROM now() - greatest(n.created_at, n.not_before))::float8 AS age,
       CASE WHEN n.phase = 'closed' AND NOT past.sent THEN 'passed' ELSE n.phase END AS phase,
       CASE WHEN n.phase IN ('opened', 'reopened') THEN EXISTS (
                SELECT FROM notification later
                WHERE later.incident = n.incident AND later.id > n.id AND later.phase IN ('closed', 'resolved'))
            ELSE n.phase = 'resolved' AND NOT past.tried END AS overtaken,
       clock_timestamp() AS now, i.id AS incident, i.kind, held(i.began_at) AS began_at,
       held(i.ended_at) AS ended_at, held(i.reopen_at) AS reopen_at, i.station, i.shard, i.detail,
       i.acknowledged_by, i.acknowledged_remark, child.many AS children, child.open AS children_open,
       coalesce((SELECT jsonb_object_agg(p.id, p.name) FROM account p
                 WHERE p.id IN (i.acknowledged_by, i.detail ->> 'resolved_by')), '{}') AS people,
       s.name AS station_name, s.name_en AS station_name_en, s.address,
       coalesce((SELECT jsonb_agg(jsonb_build_object('code', p.code, 'name', p.name, 'name_en', p.name_en,
                                                     'level', p.level) ORDER BY array_position(a.path, p.code))
                 FROM area p WHERE p.code = ANY (a.path)), '[]') AS areas,
       coalesce((SELECT timezone FROM schedule WHERE station = s.id AND valid_from <= current_date
                 ORDER BY valid_from DESC LIMIT 1),
                (SELECT timezone FROM schedule WHERE kind = s.kind AND valid_from <= current_date
                 ORDER BY valid_from DESC LIMIT 1)) AS timezone,
       opening.seconds AS open_seconds
FROM leased l
JOIN notification n ON n.id = l.notification
JOIN incident i ON i.id = n.incident
LEFT JOIN station s ON s.id = i.station
LEFT JOIN area a ON a.code = coalesce(i.area, s.area)
CROSS JOIN LATERAL (
    -- Whether this target received a notification of the incident before, or may have received one.
    SELECT coalesce(bool_or(d.status = 'sent'), false) AS sent, coalesce(bool_or(d.attempts > 0), false) AS tried
    FROM notification before JOIN delivery d ON d.notification = before.id
    WHERE before.incident = n.incident AND before.id < n.id AND d.target = $1
) AS past
LEFT JOIN calendar c ON c.id = s.calendar
CROSS JOIN LATERAL (
    -- Opening time of the station during the incident; null where it is not known, or where the station is always open.
    SELECT CASE WHEN held(i.began_at) >= c.filled_from AND held(i.ended_at) <= c.filled_to
                THEN coalesce(sum(extract(epoch FROM least(o.closes_at, i.ended_at) - greatest(o.opens_at, i.began_at))), 0)
           END::float8 AS seconds
    FROM calendar_opening o
    WHERE o.calendar = c.id AND o.opens_at < i.ended_at AND o.closes_at > i.began_at
) AS opening
CROSS JOIN LATERAL (
    -- How many stations the children concern, and how many are still down; terminals for incidents of terminals.
    SELECT count(DISTINCT thing) AS many, count(DISTINCT thing) FILTER (WHERE bad) AS open
    FROM (SELECT c.status <> 'closed' OR c.reopen_at IS NOT NULL AS bad, CASE WHEN i.kind = 'health' THEN c.key ELSE c.station END AS thing
          FROM incident c WHERE c.parent = i.id) AS found
) AS child;

-- name: next_notification
-- Seconds until the next notification may be sent; NULL: none waits. 0: one is due, and `spread` left it out because the
-- escalation, or another process, had locked its row.
SELECT extract(epoch FROM least(
           (SELECT min(not_before) FROM notification WHERE spread_at IS NULL AND not_before > now()),
           (SELECT now() WHERE EXISTS (
               SELECT FROM notification n
               WHERE spread_at IS NULL AND (not_before IS NULL OR not_before <= now())
                 AND NOT EXISTS (SELECT FROM notification held
                                 WHERE held.incident = n.incident AND held.id < n.id AND held.spread_at IS NULL
                                   AND held.not_before > now())))
       ) - now())::float8;

-- name: next_delivery
-- Seconds until the next delivery of a target becomes due; NULL: none has a time in the future. This query runs before `claim`: a
-- delivery that becomes due between the two queries is then in both results, and not in neither.
SELECT extract(epoch FROM min(next_attempt_at) - now())::float8 FROM delivery
WHERE status = 'pending' AND target = $1 AND next_attempt_at > now();

-- name: mark_sent
-- A delivery was taken by its target; noted in the history of the incident.
WITH sent AS (
    UPDATE delivery SET status = 'sent', sent_at = now(), last_error = NULL WHERE id = $1 AND status <> 'sent'
    RETURNING notification, target
)
INSERT INTO incident_entry (incident, actor, action, text)
SELECT n.incident, 'milepost', 'notified', n.phase || ' → ' || sent.target
FROM sent JOIN notification n ON n.id = sent.notification;

-- name: mark_overtaken
-- A notification that is no longer true is not sent; the attempt that the claim counted is taken back.
WITH cancelled AS (
    UPDATE delivery SET status = 'cancelled', attempts = attempts - 1, last_error = 'overtaken'
    WHERE id = $1 AND status = 'pending'
    RETURNING notification, target
)
INSERT INTO incident_entry (incident, actor, action, text)
SELECT n.incident, 'milepost', 'not_told', n.phase || ' → ' || cancelled.target
FROM cancelled JOIN notification n ON n.id = cancelled.notification;

-- name: mark_retry
-- An attempt failed: the next one is due in $2 seconds.
UPDATE delivery SET next_attempt_at = now() + make_interval(secs => $2), last_error = $3
WHERE id = $1 AND status = 'pending';

-- name: mark_failed
-- A delivery is given up; noted in the history of the incident.
WITH failed AS (
    UPDATE delivery SET status = 'failed', last_error = $2 WHERE id = $1 AND status = 'pending'
    RETURNING notification, target
)
INSERT INTO incident_entry (incident, actor, action, text)
SELECT n.incident, 'milepost', 'undelivered', n.phase || ' → ' || failed.target || ': ' || $2::text
FROM failed JOIN notification n ON n.id = failed.notification;

-- name: give_up_old
-- Also deliveries of targets that are no longer in the settings.
WITH failed AS (
    UPDATE delivery d SET status = 'failed', last_error = coalesce(d.last_error || '; ', '') || 'too old'
    FROM notification n
    WHERE n.id = d.notification AND d.status = 'pending' AND d.next_attempt_at <= now()
      AND greatest(n.created_at, n.not_before) < now() - make_interval(secs => $1)
    RETURNING n.incident, n.phase, d.target, d.idempotency_key, d.last_error
), recorded AS (
    INSERT INTO incident_entry (incident, actor, action, text)
    SELECT incident, 'milepost', 'undelivered', phase || ' → ' || target || ': ' || last_error FROM failed
)
SELECT target, idempotency_key, last_error FROM failed;
