-- name: entries_of_days
-- The entries about areas and days by their subjects ($1), the newest first, each with its leaf.
SELECT e.id, e.kind, e.subject, e.actor, e.at_ms, e.body, leaf_of_entry(e.id) AS leaf
FROM unnest($1::text[]) AS s (subject) JOIN ledger_entry e USING (subject)
WHERE e.kind IN ('days.closed', 'days.revised') ORDER BY e.id DESC;

-- name: newest_cosigned
-- The newest checkpoint of a log ($1) with at least so many leaves ($2) that has more signatures than that of the log.
SELECT note FROM ledger_checkpoint
WHERE origin = $1 AND size >= $2 AND cardinality(string_to_array(note, E'\n— ')) > 2 ORDER BY size DESC LIMIT 1;

-- name: keys_of_log
-- The public keys of the log, the newest first.
SELECT convert_from(body, 'UTF8')::jsonb ->> CASE kind WHEN 'ledger.opened' THEN 'key' ELSE 'new' END AS key
FROM ledger_entry WHERE subject = 'ledger' AND kind IN ('ledger.opened', 'ledger.key_rotated') ORDER BY id DESC LIMIT 100;
