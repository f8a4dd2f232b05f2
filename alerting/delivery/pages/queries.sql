-- name: due_contacts
-- The contacts for which something may be due, the most urgent first; `newest` changes when a page is added.
SELECT contact, max(newest)::bigint AS newest, bool_or(urgent) AS urgent
FROM (SELECT recipient AS contact, max(id) AS newest, bool_or(severity = 'critical') AS urgent, min(created_at) AS since
      FROM page
      WHERE status = 'owed' AND (not_before IS NULL OR not_before <= now())
      GROUP BY recipient
      UNION ALL
      SELECT contact, 0, severity = 'critical', created_at FROM message
      WHERE status IN ('due', 'sending') AND next_attempt_at <= now()) AS due
GROUP BY contact
ORDER BY bool_or(urgent) DESC, min(since);

-- name: next_due
-- Seconds until a page or a message becomes due; NULL: none has a time in the future. This query runs before `due_contacts`: a
-- row that becomes due between the two queries is then in both results, and not in neither.
SELECT extract(epoch FROM least(
           (SELECT min(not_before) FROM page WHERE status = 'owed' AND not_before > now()),
           (SELECT min(next_attempt_at) FROM message WHERE status IN ('due', 'sending') AND next_attempt_at > now())
       ) - now())::float8;

-- name: lock_contact
-- One process at a time decides for a contact. The lock does not hinder new pages.
-- `person`: it gets links of its own.
SELECT c.language, NOT c.room AND EXISTS (SELECT FROM account a WHERE a.id = c.account AND a.disabled_at IS NULL) AS person
FROM contact c WHERE c.id = $1 FOR NO KEY UPDATE OF c SKIP LOCKED;

-- name: open_pages
-- What is owed to a contact and due, and what is in its open messages.
-- `told`: the contact received, or may have received, a message about the same incident or the same part of the incident. A part
-- is over when none of its stations is down. OFFSET 0: the shares of its incident alone are read, not those of all incidents.
SELECT p.id, p.incident, p.share, p.phase, p.severity, p.created_at, p.not_before,
       (SELECT m.id FROM message_page l JOIN message m ON m.id = l.message
        WHERE l.page = p.id AND m.status IN ('due', 'sending')) AS message,
       EXISTS (SELECT FROM page other
               WHERE other.incident = p.incident AND other.share = p.share AND other.recipient = p.recipient AND other.id <> p.id
                 AND other.phase IN ('opened', 'escalated', 'reminder', 'reopened', 'passed')
                 AND (other.status = 'paid'
                      OR EXISTS (SELECT FROM message_page l JOIN attempt a ON a.message = l.message
                                 WHERE l.page = other.id
                                   AND (a.outcome IS NULL OR a.outcome IN ('taken', 'unknown'))))) AS told,
       ARRAY(SELECT m.fingerprint FROM message_page l JOIN message m ON m.id = l.message
             WHERE l.page = p.id AND m.status IN ('refused', 'given_up')) AS tried,
       ARRAY(SELECT m.fingerprint FROM message_page l JOIN message m ON m.id = l.message
             WHERE l.page = p.id AND m.status = 'hastened') AS hastened,
       i.status = 'closed'
       OR p.share <> '' AND coalesce(part.down, 0) = 0 AS over,
       greatest(i.acknowledged_at, part.acknowledged_at) AS acknowledged_at
FROM page p JOIN incident i ON i.id = p.incident
LEFT JOIN LATERAL (SELECT s.down, s.acknowledged_at FROM share_part s
                   WHERE p.share <> '' AND s.incident = p.incident AND s.area = p.share OFFSET 0) AS part ON true
WHERE p.recipient = $1
  AND (p.status = 'sending' OR p.status = 'owed' AND (p.not_before IS NULL OR p.not_before <= now()))
ORDER BY p.status = 'sending' DESC, array_position('{critical,warning,info}', p.severity), p.id
LIMIT $2
FOR NO KEY UPDATE OF p;

-- name: open_messages
SELECT m.id, m.fingerprint, m.next_attempt_at AS due_at,
       ARRAY(SELECT a.outcome FROM attempt a WHERE a.message = m.id ORDER BY a.number) AS attempts
FROM message m WHERE m.contact = $1 AND m.status IN ('due', 'sending');

-- name: hastened_messages
-- Messages whose provider did not answer in time, with their pages that are owed again.
SELECT m.id, m.fingerprint, array_agg(p.id) AS pages,
       ARRAY(SELECT a.outcome FROM attempt a WHERE a.message = m.id ORDER BY a.number) AS attempts
FROM page p JOIN message_page l ON l.page = p.id JOIN message m ON m.id = l.message
WHERE p.recipient = $1 AND p.status = 'owed' AND m.status = 'hastened'
GROUP BY m.id, m.fingerprint ORDER BY m.created_at, m.id;

-- name: add_limits
-- Every receiver of a contact has a row to lock. The first part of a fingerprint is of the receiver: the same bot with another
-- signing secret or other people to mention has one limit.
INSERT INTO send_limit (provider, fingerprint)
SELECT kind, split_part(fingerprint, '-', 1) FROM contact_channel WHERE contact = $1
ON CONFLICT DO NOTHING;

-- name: lock_limits
-- In one order for all processes, because contacts may share an address. `dead`: the channel of the contact is known not to
-- work; `lately`: it was tried all the same within the last half hour.
SELECT l.provider, c.fingerprint, l.taken_at, l.silent_until, coalesce(l.tried_at > now() - interval '30 minutes', false) AS lately,
       EXISTS (SELECT FROM channel_state d
               WHERE d.contact = c.contact AND d.fingerprint = c.fingerprint AND d.dead_at IS NOT NULL) AS dead
FROM send_limit l JOIN contact_channel c ON c.kind = l.provider AND split_part(c.fingerprint, '-', 1) = l.fingerprint
WHERE c.contact = $1
ORDER BY l.provider, l.fingerprint FOR NO KEY UPDATE OF l;

-- name: lock_limit
SELECT taken_at, silent_until FROM send_limit WHERE provider = $1 AND fingerprint = split_part($2, '-', 1) FOR NO KEY UPDATE;

-- name: save_limit
UPDATE send_limit SET taken_at = $3, silent_until = $4, tried_at = now()
WHERE provider = $1 AND fingerprint = split_part($2, '-', 1);

-- name: drop_messages
-- Messages that are not sent any more; their pages are owed again until the next queries say otherwise.
WITH dropped AS (
    UPDATE message SET status = 'given_up', settled_at = now()
    WHERE id = ANY ($1::uuid[]) AND status IN ('due', 'sending')
    RETURNING id
)
UPDATE page SET status = 'owed', reason = NULL
FROM dropped JOIN message_page l ON l.message = dropped.id
WHERE page.id = l.page AND page.status = 'sending';

-- name: cancel_pages
-- Pages that are not to be sent any more, with the reasons; noted in the history of their incidents.
WITH cancelled AS (
    UPDATE page SET status = 'cancelled', reason = given.reason, settled_at = now()
    FROM unnest($1::bigint[], $2::text[]) AS given (id, reason)
    WHERE page.id = given.id AND page.status IN ('owed', 'sending')
    RETURNING page.incident, page.share, page.phase, page.recipient
)
INSERT INTO incident_entry (incident, actor, action, text, share)
SELECT incident, 'milepost', 'not_told', phase || ' → ' || recipient, nullif(share, '') FROM cancelled;

-- name: fail_pages
-- Pages that can be delivered by no channel, with the reasons; noted in the history of their incidents.
WITH failed AS (
    UPDATE page SET status = 'failed', reason = given.reason, settled_at = now()
    FROM unnest($1::bigint[], $2::text[]) AS given (id, reason)
    WHERE page.id = given.id AND page.status IN ('owed', 'sending')
    RETURNING page.incident, page.share, page.phase, page.recipient, page.reason
)
INSERT INTO incident_entry (incident, actor, action, text, share)
SELECT incident, 'milepost', 'undelivered', phase || ' → ' || recipient || ': ' || reason, nullif(share, '')
FROM failed;

-- name: add_message
-- A new message with its pages and its first attempt, on lease.
WITH made AS (
    INSERT INTO message (id, contact, kind, fingerprint, content, severity, next_attempt_at, attempts, status)
    VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7), 1, 'sending')
    RETURNING id
), linked AS (
    INSERT INTO message_page (message, page) SELECT made.id, number FROM made, unnest($8::bigint[]) AS number
), tried AS (
    INSERT INTO attempt (message, number) SELECT id, 1 FROM made
)
UPDATE page SET status = 'sending' WHERE id = ANY ($8::bigint[]);

-- name: try_again
-- The next attempt of a message, on lease, with the content of the first attempt. If the message was `hastened`, its
-- owed pages are sent again.
WITH leased AS (
    UPDATE message SET attempts = attempts + 1, status = 'sending',
                       next_attempt_at = clock_timestamp() + make_interval(secs => $2)
    WHERE id = $1
    RETURNING id, attempts, content
), tried AS (
    INSERT INTO attempt (message, number) SELECT id, attempts FROM leased
), sent AS (
    UPDATE page SET status = 'sending' FROM leased JOIN message_page l ON l.message = leased.id
    WHERE page.id = l.page AND page.status = 'owed' AND page.id = ANY ($3::bigint[])
)
SELECT attempts, content FROM leased;

-- name: end_attempt
UPDATE attempt SET outcome = $3, until = $4, why = $5 WHERE message = $1 AND number = $2;

-- name: mark_taken
-- A message was taken: its pages are paid, also the pages that were owed again meanwhile. The history of the incidents
-- notes this, also for a page that is settled already: another channel had delivered it, or it was cancelled meanwhile.
WITH late AS (
    SELECT p.incident, p.share, p.phase, m.contact, m.kind
    FROM message m JOIN message_page l ON l.message = m.id JOIN page p ON p.id = l.page
    WHERE m.id = $1 AND m.status <> 'taken' AND p.status NOT IN ('owed', 'sending')
), taken AS (
    UPDATE message SET status = 'taken', settled_at = now() WHERE id = $1 AND status <> 'taken'
    RETURNING id, contact, kind
), paid AS (
    UPDATE page SET status = 'paid', reason = NULL, settled_at = now()
    FROM taken JOIN message_page l ON l.message = taken.id
    WHERE page.id = l.page AND page.status IN ('owed', 'sending')
    RETURNING page.incident, page.share, page.phase, taken.contact, taken.kind
)
INSERT INTO incident_entry (incident, actor, action, text, share)
SELECT incident, 'milepost', 'notified', phase || ' → ' || contact || ' ' || kind, nullif(share, '')
FROM (SELECT * FROM paid UNION ALL SELECT * FROM late) AS told;

-- name: mark_again
-- The same message is sent again in $3 seconds, unless another process has it by now. `unreached` ($4) is a sign to the
-- escalation: no channel is left beside this one.
WITH due AS (
    UPDATE message SET status = 'due', next_attempt_at = now() + make_interval(secs => $3)
    WHERE id = $1 AND attempts = $2 AND status = 'sending'
    RETURNING id
)
UPDATE page SET reason = 'unreached'
FROM due JOIN message_page l ON l.message = due.id
WHERE $4 AND page.id = l.page AND page.status = 'sending';

-- name: mark_over
-- A message ends untaken ($3: how); its pages are owed again.
WITH ended AS (
    UPDATE message SET status = $3, settled_at = now() WHERE id = $1 AND attempts = $2 AND status = 'sending'
    RETURNING id
)
UPDATE page SET status = 'owed', reason = NULL
FROM ended JOIN message_page l ON l.message = ended.id
WHERE page.id = l.page AND page.status = 'sending';

-- name: mark_late_refusal
-- A late answer refuses a `hastened` message: its channel is not tried again for its pages.
UPDATE message SET status = 'refused', settled_at = now() WHERE id = $1 AND attempts = $2 AND status = 'hastened';

-- name: mark_too_old
-- A message is given up for its age, and its pages fail; noted in the history of the incidents.
WITH ended AS (
    UPDATE message SET status = 'given_up', settled_at = now() WHERE id = $1 AND attempts = $2 AND status = 'sending'
    RETURNING id
), failed AS (
    UPDATE page SET status = 'failed', reason = 'too_old', settled_at = now()
    FROM ended JOIN message_page l ON l.message = ended.id
    WHERE page.id = l.page AND page.status = 'sending'
    RETURNING page.incident, page.share, page.phase, page.recipient
)
INSERT INTO incident_entry (incident, actor, action, text, share)
SELECT incident, 'milepost', 'undelivered', phase || ' → ' || recipient || ': too_old', nullif(share, '') FROM failed;

-- name: facts
-- What the text of each page says, in the order in which they are given: alerting/delivery/facts.py. OFFSET 0: as in open_pages.
SELECT i.id AS incident, i.kind, p.phase, held(i.began_at) AS began_at, held(i.ended_at) AS ended_at,
       held(i.reopen_at) AS reopen_at, i.station, i.shard, i.detail,
       coalesce(share.acknowledged_by, i.acknowledged_by) AS acknowledged_by,
       CASE WHEN share.acknowledged_by IS NULL THEN i.acknowledged_remark ELSE share.acknowledged_remark END
           AS acknowledged_remark,
       coalesce(share.children, child.many) AS children, coalesce(share.down, child.open) AS children_open,
       coalesce((SELECT jsonb_object_agg(a.id, a.name) FROM account a
                 WHERE a.id IN (i.acknowledged_by, share.acknowledged_by, i.detail ->> 'resolved_by')), '{}') AS people,
       s.name AS station_name, s.name_en AS station_name_en, s.address,
       coalesce((SELECT jsonb_agg(jsonb_build_object('code', above.code, 'name', above.name, 'name_en', above.name_en,
                                                     'level', above.level) ORDER BY array_position(a.path, above.code))
                 FROM area above WHERE above.code = ANY (a.path)), '[]') AS areas,
       coalesce((SELECT timezone FROM schedule WHERE station = s.id AND valid_from <= current_date
                 ORDER BY valid_from DESC LIMIT 1),
                (SELECT timezone FROM schedule WHERE kind = s.kind AND valid_from <= current_date
                 ORDER BY valid_from DESC LIMIT 1)) AS timezone,
       opening.seconds AS open_seconds
FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted (page, place)
JOIN page p ON p.id = wanted.page
JOIN incident i ON i.id = p.incident
LEFT JOIN LATERAL (SELECT s.children, s.down, s.acknowledged_by, s.acknowledged_remark FROM share_part s
                   WHERE p.share <> '' AND s.incident = i.id AND s.area = p.share OFFSET 0) AS share ON true
LEFT JOIN station s ON s.id = i.station
LEFT JOIN area a ON a.code = coalesce(nullif(p.share, ''), i.area, s.area)
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
    FROM (SELECT c.status <> 'closed' OR c.reopen_at IS NOT NULL AS bad,
                 CASE WHEN i.kind = 'health' THEN c.key ELSE c.station END AS thing
          FROM incident c WHERE c.parent = i.id) AS found
) AS child
ORDER BY wanted.place;

-- name: forget_pages
-- Delete settled pages of incidents that closed long ago. The pages of an open incident stay, however old: a contact with a page
-- about the beginning of an incident gets a page about its end.
WITH old AS (
    SELECT p.id FROM page p JOIN incident i ON i.id = p.incident
    WHERE p.created_at < now() - $1::interval AND p.status IN ('paid', 'cancelled', 'failed')
      AND i.status = 'closed' AND i.closed_at < now() - $1::interval
    ORDER BY p.created_at LIMIT $2 FOR UPDATE OF p SKIP LOCKED
), unpaid AS (
    DELETE FROM message_page WHERE page IN (SELECT id FROM old)
)
DELETE FROM page WHERE id IN (SELECT id FROM old) RETURNING id;

-- name: forget_messages
-- Delete old messages with their attempts when the last of their pages is gone.
WITH old AS (
    SELECT m.id FROM message m
    WHERE m.created_at < now() - $1::interval AND m.status NOT IN ('due', 'sending')
      AND NOT EXISTS (SELECT FROM message_page l WHERE l.message = m.id)
    ORDER BY m.created_at LIMIT $2 FOR UPDATE SKIP LOCKED
), tries AS (
    DELETE FROM attempt WHERE message IN (SELECT id FROM old)
)
DELETE FROM message WHERE id IN (SELECT id FROM old) RETURNING id;

-- name: forget_notifications_and_links
-- These functions run with the rights of the owner, because this process has no right to delete links.
SELECT forget_notifications($1::interval, $2) + forget_links($1::interval, $2);
