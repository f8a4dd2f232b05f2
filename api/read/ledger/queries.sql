-- name: list_entries
-- Entries with ids from $2 up to below $1, the newest first, each with its leaf. The view has those of the scope.
SELECT e.id, e.kind, e.subject, e.actor, e.at_ms, e.body, leaf_of_entry(e.id) AS leaf
FROM ledger_entry e
WHERE e.id < $1 AND e.id >= $2 AND ($3::text IS NULL OR e.subject = $3) AND ($4::text IS NULL OR e.kind = $4)
  AND ($5::bigint IS NULL OR e.at_ms >= $5) AND ($6::bigint IS NULL OR e.at_ms < $6)
ORDER BY e.id DESC LIMIT $7;

-- name: entry_below
-- The id of the entry $2 places before $1; NULL: there are fewer.
SELECT scoped.entry_below($1, $2);
