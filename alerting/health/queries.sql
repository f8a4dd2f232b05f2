-- name: last_seq
-- The last number among the changes of a partition.
SELECT coalesce(max(seq), 0) FROM health_change WHERE partition = $1;

-- name: firing_other_rules
-- Terminals for which a rule fires that is not among these rules.
SELECT DISTINCT station, terminal FROM health_state WHERE partition = $1 AND rule <> ALL ($2::text[]);

-- name: fetch_memories
-- The stored memories of some terminals.
SELECT m.station, m.terminal, m.memory
FROM unnest($1::text[], $2::text[]) AS w (station, terminal)
JOIN health_memory m USING (station, terminal);

-- name: fetch_places
-- Kind and areas of stations, by which overrides of rules are chosen.
SELECT s.id, s.kind, coalesce(a.path, '{}') AS path
FROM station s LEFT JOIN area a ON a.code = s.area WHERE s.id = ANY ($1::text[]);

-- name: save_memories
-- The memories of the terminals of a batch.
INSERT INTO health_memory (station, terminal, memory, heard_at)
SELECT station, terminal, memory, to_timestamp(heard / 1000.0::double precision)
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[]) AS w (station, terminal, memory, heard)
ON CONFLICT (station, terminal) DO UPDATE SET memory = excluded.memory, heard_at = excluded.heard_at;

-- name: save_facts
-- Only rows that changed. A reader that polls by changed_xid may read a row again although its columns did not change.
INSERT INTO terminal_facts (station, terminal, partition, agent, serial, wifi, wifi_since, last_session_at,
                            resource_at, first_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::boolean[],
                     $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[])
ON CONFLICT (station, terminal) DO UPDATE
SET partition = excluded.partition, agent = excluded.agent, serial = excluded.serial, wifi = excluded.wifi,
    wifi_since = excluded.wifi_since, last_session_at = excluded.last_session_at,
    resource_at = excluded.resource_at, first_at = excluded.first_at, changed_xid = pg_current_xact_id();

-- name: end_states
-- Rules that stopped to fire.
DELETE FROM health_state AS s
USING unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w (station, terminal, rule, subject)
WHERE s.station = w.station AND s.terminal = w.terminal AND s.rule = w.rule AND s.subject = w.subject;

-- name: save_states
-- Rules that fire; a value that the batch did not bring is kept.
INSERT INTO health_state (station, terminal, rule, subject, partition, field, severity, threshold, value, since, as_of)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::text[],
                     $8::double precision[], $9::double precision[], $10::timestamptz[], $11::timestamptz[])
ON CONFLICT (station, terminal, rule, subject) DO UPDATE
SET partition = excluded.partition, field = excluded.field, severity = excluded.severity,
    threshold = excluded.threshold, value = coalesce(excluded.value, health_state.value), since = excluded.since,
    as_of = excluded.as_of;

-- name: insert_changes
-- Beginnings and ends of firing, numbered within their partition.
INSERT INTO health_change (partition, seq, station, terminal, rule, subject, firing, field, severity, threshold,
                           value, since, as_of, at, reason)
SELECT * FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[],
                     $8::text[], $9::text[], $10::double precision[], $11::double precision[], $12::timestamptz[],
                     $13::timestamptz[], $14::timestamptz[], $15::text[]);

-- name: notify_changes
-- Wake the incident process when the transaction commits.
SELECT pg_notify('milepost_health', '');

-- name: all_firing
-- All rules that fire.
SELECT station, terminal, rule, subject, since, as_of, field, severity, threshold, value FROM health_state;

-- name: open_health
-- Incidents of single terminals: common causes have no station.
SELECT id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at, parent, detail
FROM incident WHERE kind = 'health' AND (status <> 'closed' OR reopen_at IS NOT NULL) AND station IS NOT NULL
ORDER BY id;

-- name: health_parents
-- Incidents of common causes that are open or shelved.
SELECT id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at, parent, detail
FROM incident
WHERE kind = 'health' AND (status <> 'closed' OR reopen_at IS NOT NULL) AND station IS NULL
ORDER BY id;

-- name: health_children
-- All incidents that ever were children of these, in their order.
SELECT id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at, parent, detail
FROM incident WHERE parent = ANY ($1::bigint[])
ORDER BY id;

-- name: read_changes
-- The changes after the cursor of the reader, at most $2 of each partition; partitions are found by a loose scan of the
-- primary key.
WITH RECURSIVE found AS (
    (SELECT partition FROM health_change ORDER BY partition LIMIT 1)
    UNION ALL
    SELECT (SELECT h.partition FROM health_change h WHERE h.partition > found.partition
            ORDER BY h.partition LIMIT 1)
    FROM found WHERE found.partition IS NOT NULL
)
SELECT h.*
FROM found
LEFT JOIN stream_cursor c ON c.reader = $1 AND c.partition = found.partition
CROSS JOIN LATERAL (
    SELECT partition, seq, station, terminal, rule, subject, firing, reason, since, as_of, field, severity,
           threshold, value
    FROM health_change h
    WHERE h.partition = found.partition AND h.seq > coalesce(c.seq, 0)
    ORDER BY h.seq LIMIT $2
) h
WHERE found.partition IS NOT NULL
ORDER BY h.partition, h.seq;

-- name: unregistered_terminals
-- The terminals among these that are not registered.
SELECT w.station, w.terminal
FROM unnest($1::text[], $2::text[]) AS w (station, terminal)
LEFT JOIN terminal t ON t.station = w.station AND t.id = w.terminal
WHERE t.id IS NULL;
