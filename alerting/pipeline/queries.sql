-- name: read_transitions
-- The transitions after the reader's cursor, at most $2 of each partition. The recursive part finds the partitions by a
-- skip scan of the primary key. A partition without a cursor is read from its beginning.
WITH RECURSIVE found AS (
    (SELECT partition FROM transition ORDER BY partition LIMIT 1)
    UNION ALL
    SELECT (SELECT t.partition FROM transition t WHERE t.partition > found.partition ORDER BY t.partition LIMIT 1)
    FROM found WHERE found.partition IS NOT NULL
)
SELECT t.*
FROM found
LEFT JOIN stream_cursor c ON c.reader = $1 AND c.partition = found.partition
CROSS JOIN LATERAL (
    SELECT partition, seq, station, terminal, before, after, usable, held(at) AS at, held(tick_at) AS tick_at,
           held(seen_at) AS seen_at, shard, reason
    FROM transition t
    WHERE t.partition = found.partition AND t.seq > coalesce(c.seq, -1)
    ORDER BY t.seq LIMIT $2
) t
WHERE found.partition IS NOT NULL
ORDER BY t.partition, t.seq;

-- name: read_further
-- The same after the caller's own numbers ($1, $2: partition, newest number read), at most $3 of each partition,
-- without the partitions in $4.
WITH RECURSIVE found AS (
    (SELECT partition FROM transition ORDER BY partition LIMIT 1)
    UNION ALL
    SELECT (SELECT t.partition FROM transition t WHERE t.partition > found.partition ORDER BY t.partition LIMIT 1)
    FROM found WHERE found.partition IS NOT NULL
)
SELECT t.*
FROM found
LEFT JOIN unnest($1::int[], $2::bigint[]) AS c (partition, seq) ON c.partition = found.partition
CROSS JOIN LATERAL (
    SELECT partition, seq, station, terminal, before, after, usable, held(at) AS at, held(tick_at) AS tick_at,
           held(seen_at) AS seen_at, shard, reason
    FROM transition t
    WHERE t.partition = found.partition AND t.seq > coalesce(c.seq, -1)
    ORDER BY t.seq LIMIT $3
) t
WHERE found.partition IS NOT NULL AND found.partition <> ALL ($4::int[])
ORDER BY t.partition, t.seq;

-- name: read_gaps
-- The same for pipeline gaps; the cursor of the gaps has its own reader name.
WITH RECURSIVE found AS (
    (SELECT partition FROM pipeline_gap ORDER BY partition LIMIT 1)
    UNION ALL
    SELECT (SELECT g.partition FROM pipeline_gap g WHERE g.partition > found.partition ORDER BY g.partition LIMIT 1)
    FROM found WHERE found.partition IS NOT NULL
)
SELECT g.*
FROM found
LEFT JOIN stream_cursor c ON c.reader = $1 AND c.partition = found.partition
CROSS JOIN LATERAL (
    SELECT partition, seq, shard, held(began_at) AS began_at, held(ended_at) AS ended_at, reason
    FROM pipeline_gap g
    WHERE g.partition = found.partition AND g.seq > coalesce(c.seq, -1)
    ORDER BY g.seq LIMIT $2
) g
WHERE found.partition IS NOT NULL
ORDER BY g.partition, g.seq;

-- name: load_cursors
SELECT partition, seq FROM stream_cursor WHERE reader = $1;

-- name: set_cursors
-- A cursor only moves forward, so that a late writer cannot move it back.
INSERT INTO stream_cursor AS c (reader, partition, seq)
SELECT $1, partition, seq FROM unnest($2::int[], $3::bigint[]) AS m (partition, seq)
ON CONFLICT (reader, partition) DO UPDATE SET seq = excluded.seq WHERE c.seq < excluded.seq;

-- name: read_clocks
-- The pipeline clock of each partition and shard.
SELECT partition, shard, clock, tick_at, judged_at, blind_since FROM partition_clock;

-- name: one_at_a_time
-- Two announcements at the same time run one after the other.
LOCK TABLE announced_restart IN SHARE ROW EXCLUSIVE MODE;

-- name: restart_now
SELECT clock_timestamp();

-- name: recent_restarts
SELECT from_at, until_at, actor, remark, reason FROM announced_restart
WHERE until_at > $1 ORDER BY until_at DESC LIMIT 20;

-- name: announce_restart
INSERT INTO announced_restart (from_at, until_at, actor, reason, remark) VALUES ($1, $2, $3, $4, $5) RETURNING id;
