-- name: load_head
-- The log as it was sealed last; locked against another sealer until the end of the transaction.
SELECT origin, size, root, tails, note FROM ledger_head FOR UPDATE;

-- name: read_head
-- The same for readers.
SELECT origin, size, root, tails, note FROM ledger_head;

-- name: make_head
-- A log that has no leaves yet. Of two first sealers one makes it.
INSERT INTO ledger_head (origin, size, root, tails) VALUES ($1, 0, $2, '{}') ON CONFLICT (one) DO NOTHING;

-- name: move_head
-- The new size, if the log is still what was read: compared and set.
UPDATE ledger_head SET size = $3, root = $4, tails = $5, sealed_at = clock_timestamp()
WHERE size = $1 AND root = $2;

-- name: keep_note
-- The newest checkpoint; an older one than is kept never comes instead of it.
UPDATE ledger_head SET note = $2 WHERE origin = $1 AND size >= $3;

-- name: keep_checkpoint
-- One checkpoint an hour is kept for ever, and each that a witness signed.
INSERT INTO ledger_checkpoint (origin, size, note)
SELECT $1, $2, $3
WHERE $4 OR NOT EXISTS (SELECT FROM ledger_checkpoint WHERE signed_at > clock_timestamp() - interval '1 hour');

-- name: list_checkpoints
-- What was kept, the oldest first.
SELECT note FROM ledger_checkpoint WHERE origin = $1 ORDER BY size, signed_at;

-- name: take_pending
-- Entries that committed and are not sealed, in the order of their ids.
WITH taken AS (
    DELETE FROM ledger_pending WHERE id IN (SELECT id FROM ledger_pending ORDER BY id LIMIT $1) RETURNING id
)
SELECT t.id, e.kind, e.subject, e.actor, e.at_ms, e.body FROM taken t LEFT JOIN ledger_entry e USING (id) ORDER BY t.id;

-- name: sealed_ends
-- The last sealed number of each stream and partition, by one look into the index for each.
WITH RECURSIVE found AS (
    (SELECT source, partition FROM ledger_run ORDER BY source, partition LIMIT 1)
    UNION ALL
    SELECT n.source, n.partition FROM found f CROSS JOIN LATERAL (
        SELECT r.source, r.partition FROM ledger_run r
        WHERE (r.source, r.partition) > (f.source, f.partition)
        ORDER BY r.source, r.partition LIMIT 1
    ) AS n
)
SELECT f.source, f.partition, last.number FROM found f CROSS JOIN LATERAL (
    SELECT r.first + r.count - 1 AS number FROM ledger_run r
    WHERE r.source = f.source AND r.partition = f.partition ORDER BY r.first DESC LIMIT 1
) AS last;

-- name: tail_transition
-- Transitions after the sealed ones ($1: partitions, $2: their last sealed number), at most $3 of each partition.
WITH RECURSIVE parts AS (
    (SELECT partition FROM transition ORDER BY partition LIMIT 1)
    UNION ALL
    SELECT (SELECT t.partition FROM transition t WHERE t.partition > p.partition ORDER BY t.partition LIMIT 1)
    FROM parts p WHERE p.partition IS NOT NULL
)
SELECT t.* FROM parts p
LEFT JOIN unnest($1::int[], $2::bigint[]) AS s (partition, number) ON s.partition = p.partition
CROSS JOIN LATERAL (
    SELECT after, floor(extract(epoch FROM at) * 1000)::bigint AS at_ms, before,
           floor(extract(epoch FROM deadline_at) * 1000)::bigint AS deadline_at_ms, partition, reason, 'transition' AS row,
           floor(extract(epoch FROM seen_at) * 1000)::bigint AS seen_at_ms, seq, shard, station, terminal,
           floor(extract(epoch FROM tick_at) * 1000)::bigint AS tick_at_ms, usable
    FROM transition WHERE partition = p.partition AND seq > coalesce(s.number, 0) ORDER BY seq LIMIT $3
) AS t
ORDER BY t.partition, t.seq;

-- name: tail_pipeline_gap
-- The same of gaps.
WITH RECURSIVE parts AS (
    (SELECT partition FROM pipeline_gap ORDER BY partition LIMIT 1)
    UNION ALL
    SELECT (SELECT t.partition FROM pipeline_gap t WHERE t.partition > p.partition ORDER BY t.partition LIMIT 1)
    FROM parts p WHERE p.partition IS NOT NULL
)
SELECT t.* FROM parts p
LEFT JOIN unnest($1::int[], $2::bigint[]) AS s (partition, number) ON s.partition = p.partition
CROSS JOIN LATERAL (
    SELECT floor(extract(epoch FROM began_at) * 1000)::bigint AS began_at_ms,
           floor(extract(epoch FROM ended_at) * 1000)::bigint AS ended_at_ms, partition, reason, 'pipeline_gap' AS row, seq, shard
    FROM pipeline_gap WHERE partition = p.partition AND seq > coalesce(s.number, 0) ORDER BY seq LIMIT $3
) AS t
ORDER BY t.partition, t.seq;

-- name: tail_health_change
-- The same of what the health rules decided.
WITH RECURSIVE parts AS (
    (SELECT partition FROM health_change ORDER BY partition LIMIT 1)
    UNION ALL
    SELECT (SELECT t.partition FROM health_change t WHERE t.partition > p.partition ORDER BY t.partition LIMIT 1)
    FROM parts p WHERE p.partition IS NOT NULL
)
SELECT t.* FROM parts p
LEFT JOIN unnest($1::int[], $2::bigint[]) AS s (partition, number) ON s.partition = p.partition
CROSS JOIN LATERAL (
    SELECT floor(extract(epoch FROM as_of) * 1000)::bigint AS as_of_ms, floor(extract(epoch FROM at) * 1000)::bigint AS at_ms,
           field, firing, partition, reason, 'health_change' AS row, rule, seq, severity,
           floor(extract(epoch FROM since) * 1000)::bigint AS since_ms, station, subject, terminal, threshold, value
    FROM health_change WHERE partition = p.partition AND seq > coalesce(s.number, 0) ORDER BY seq LIMIT $3
) AS t
ORDER BY t.partition, t.seq;

-- name: add_runs
-- Which rows the new leaves are.
INSERT INTO ledger_run (begins, count, source, partition, first)
SELECT * FROM unnest($1::bigint[], $2::int[], $3::text[], $4::int[], $5::bigint[]);

-- name: add_tiles
-- Tiles that became full.
INSERT INTO ledger_tile (level, number, hashes) SELECT * FROM unnest($1::int[], $2::bigint[], $3::bytea[]);

-- name: read_tiles
-- Full tiles by their places; what is missing is not full, or gone.
SELECT t.level, t.number, t.hashes FROM unnest($1::int[], $2::bigint[]) AS p (level, number)
JOIN ledger_tile t ON t.level = p.level AND t.number = p.number;

-- name: durable
-- What is signed must be on the disk, whatever the server does otherwise.
SELECT set_config('synchronous_commit', 'on', true);

-- name: lock_rotation
-- One rotation of the key at a time.
SELECT pg_advisory_xact_lock($1);

-- name: goes_on_with
-- Whether the newest entry about a key says that the log goes on with this public key, or begins with it.
SELECT coalesce((SELECT convert_from(body, 'UTF8')::jsonb ->> CASE kind WHEN 'ledger.opened' THEN 'key' ELSE 'new' END = $1
                 FROM ledger_entry WHERE subject = 'ledger' AND kind IN ('ledger.opened', 'ledger.key_rotated')
                 ORDER BY id DESC LIMIT 1), false);

-- name: names_before
-- Whether the log begins with the entry that it follows this checkpoint of the log that was here before.
SELECT EXISTS (SELECT FROM ledger_entry e JOIN ledger_head h ON h.note IS NULL
               WHERE e.subject = 'ledger' AND e.kind = 'ledger.opened' AND e.id = (
                   SELECT max(id) FROM ledger_entry WHERE subject = 'ledger' AND kind = 'ledger.opened')
               AND convert_from(e.body, 'UTF8')::jsonb @> jsonb_build_object('origin', h.origin, 'before', $1::text));

-- name: take_opening
-- The entry that opens the log, which becomes its first leaf. Those of logs that were here before are sealed as others are.
WITH taken AS (
    DELETE FROM ledger_pending p USING ledger_entry e
    WHERE p.id = e.id AND e.id = (SELECT max(id) FROM ledger_entry WHERE subject = 'ledger' AND kind = 'ledger.opened')
    RETURNING p.id
)
SELECT t.id, e.kind, e.subject, e.actor, e.at_ms, e.body FROM taken t JOIN ledger_entry e USING (id) ORDER BY t.id;

-- name: last_of_another
-- The newest checkpoint of a log that was here before, if there was one.
SELECT note FROM ledger_checkpoint WHERE origin <> $1 ORDER BY signed_at DESC LIMIT 1;

-- name: list_runs
-- Which rows the leaves from $1 up to $2 are.
SELECT begins, count, source, partition, first FROM ledger_run
WHERE begins < $2 AND begins >= coalesce((SELECT max(begins) FROM ledger_run WHERE begins <= $1), 0) ORDER BY begins;

-- name: list_tiles
-- Full tiles of leaves, from number $1 up to $2.
SELECT number, hashes FROM ledger_tile WHERE level = 0 AND number >= $1 AND number < $2 ORDER BY number;

-- name: list_ledger_entry
-- Entries by their ids.
SELECT 0 AS partition, e.id AS number, e.id, e.kind, e.subject, e.actor, e.at_ms, e.body
FROM unnest($1::int[], $2::bigint[]) AS w (partition, number) JOIN ledger_entry e ON e.id = w.number;

-- name: list_transition
-- Transitions by partition and number, as tail_transition gives them.
SELECT t.partition AS part, t.seq AS number,
       after, floor(extract(epoch FROM at) * 1000)::bigint AS at_ms, before,
       floor(extract(epoch FROM deadline_at) * 1000)::bigint AS deadline_at_ms, t.partition, reason, 'transition' AS row,
       floor(extract(epoch FROM seen_at) * 1000)::bigint AS seen_at_ms, seq, shard, station, terminal,
       floor(extract(epoch FROM tick_at) * 1000)::bigint AS tick_at_ms, usable
FROM unnest($1::int[], $2::bigint[]) AS w (partition, number) JOIN transition t ON t.partition = w.partition AND t.seq = w.number;

-- name: list_pipeline_gap
-- Gaps by partition and number, as tail_pipeline_gap gives them.
SELECT t.partition AS part, t.seq AS number, floor(extract(epoch FROM began_at) * 1000)::bigint AS began_at_ms,
       floor(extract(epoch FROM ended_at) * 1000)::bigint AS ended_at_ms, t.partition, reason, 'pipeline_gap' AS row, seq, shard
FROM unnest($1::int[], $2::bigint[]) AS w (partition, number)
JOIN pipeline_gap t ON t.partition = w.partition AND t.seq = w.number;

-- name: list_health_change
-- What the health rules decided, by partition and number, as tail_health_change gives it.
SELECT t.partition AS part, t.seq AS number,
       floor(extract(epoch FROM as_of) * 1000)::bigint AS as_of_ms, floor(extract(epoch FROM at) * 1000)::bigint AS at_ms,
       field, firing, t.partition, reason, 'health_change' AS row, rule, seq, severity,
       floor(extract(epoch FROM since) * 1000)::bigint AS since_ms, station, subject, terminal, threshold, value
FROM unnest($1::int[], $2::bigint[]) AS w (partition, number)
JOIN health_change t ON t.partition = w.partition AND t.seq = w.number;

-- name: list_strangers
-- Rows that are neither sealed nor wait: entries in no run and not pending, and rows of streams before the last sealed one in
-- no run. At most $1.
SELECT source, partition, number FROM (
    SELECT 'ledger_entry' AS source, 0 AS partition, e.id AS number FROM ledger_entry e
    WHERE NOT EXISTS (SELECT FROM ledger_pending p WHERE p.id = e.id)
    UNION ALL
    SELECT 'transition', t.partition, t.seq FROM transition t
    WHERE t.seq <= (SELECT r.first + r.count - 1 FROM ledger_run r WHERE r.source = 'transition'
                    AND r.partition = t.partition ORDER BY r.first DESC LIMIT 1)
    UNION ALL
    SELECT 'pipeline_gap', t.partition, t.seq FROM pipeline_gap t
    WHERE t.seq <= (SELECT r.first + r.count - 1 FROM ledger_run r WHERE r.source = 'pipeline_gap'
                    AND r.partition = t.partition ORDER BY r.first DESC LIMIT 1)
    UNION ALL
    SELECT 'health_change', t.partition, t.seq FROM health_change t
    WHERE t.seq <= (SELECT r.first + r.count - 1 FROM ledger_run r WHERE r.source = 'health_change'
                    AND r.partition = t.partition ORDER BY r.first DESC LIMIT 1)
) AS every
WHERE coalesce((SELECT r.first + r.count <= every.number FROM ledger_run r
                WHERE r.source = every.source AND r.partition = every.partition AND r.first <= every.number
                ORDER BY r.first DESC LIMIT 1), true)
LIMIT $1;
