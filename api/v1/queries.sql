-- name: schema_versions
SELECT version, sha256 FROM schema_migration;

-- name: count_open_incidents
SELECT kind, status, count(*) AS incidents FROM incident WHERE status <> 'closed' GROUP BY kind, status;

-- name: count_waiting_pages
-- What is owed to contacts: due now, held until a time, and tried in vain by every channel; how old the oldest due one is.
SELECT count(*) FILTER (WHERE due) AS due, count(*) FILTER (WHERE NOT due) AS held,
       count(*) FILTER (WHERE reason = 'unreached') AS unreached,
       coalesce(extract(epoch FROM clock_timestamp() - min(since) FILTER (WHERE due)), 0)::float8 AS oldest
FROM (SELECT reason, coalesce(not_before <= clock_timestamp(), true) AS due, greatest(created_at, not_before) AS since
      FROM page WHERE status IN ('owed', 'sending')) AS waiting;

-- name: ledger_delay
-- Seconds for which the oldest row waits for its seal, by one look into the index for each partition; NULL: none waits, or
-- there is no log yet.
SELECT extract(epoch FROM clock_timestamp() - min(waiting.at))::float8 FROM (
    (SELECT to_timestamp(e.at_ms / 1000.0) AS at FROM ledger_entry e
     WHERE e.id > coalesce((SELECT r.first + r.count - 1 FROM ledger_run r WHERE r.source = 'ledger_entry' AND r.partition = 0
                            ORDER BY r.first DESC LIMIT 1), 0)
     ORDER BY e.id LIMIT 1)
    UNION ALL
    SELECT t.written_at FROM (SELECT DISTINCT partition FROM partition_clock) AS p CROSS JOIN LATERAL (
        SELECT w.written_at FROM transition w
        WHERE w.partition = p.partition AND w.seq > coalesce((
            SELECT r.first + r.count - 1 FROM ledger_run r WHERE r.source = 'transition' AND r.partition = p.partition
            ORDER BY r.first DESC LIMIT 1), 0)
        ORDER BY w.seq LIMIT 1) AS t
) AS waiting WHERE EXISTS (SELECT FROM ledger_head);

-- name: recent_gaps
-- Per clock the newest gaps that touch the window ($1, $2).
SELECT c.partition, c.shard, g.began_at, g.ended_at, g.reason
FROM partition_clock c CROSS JOIN LATERAL (
    SELECT began_at, ended_at, reason FROM pipeline_gap g
    WHERE g.partition = c.partition AND g.shard = c.shard AND g.began_at < $2 AND g.ended_at > $1
    ORDER BY began_at DESC LIMIT $3) AS g
ORDER BY c.shard, c.partition, g.began_at DESC;

-- name: list_consumers
-- The offset of each consumer, when it moved last, and the lag behind the end that was seen last. The end of a log with
-- another identity is ignored.
SELECT c.consumer, c.topic, c.partition, c.next_offset, c.instance, c.updated_at,
       e.end_offset, e.at AS end_at, e.end_offset - least(c.next_offset, e.end_offset) AS lag
FROM consumer_offset c
LEFT JOIN log_end e ON e.topic = c.topic AND e.partition = c.partition AND e.log = c.log
ORDER BY c.consumer, c.topic, c.partition;

-- name: list_signs
-- The processes that were alive within the last hour; those without a sign for 30 s are not alive.
SELECT service, instance, role, at, round(extract(epoch FROM clock_timestamp() - at)::numeric, 1)::float8 AS age_s,
       clock_timestamp() - at <= interval '30 seconds' AS alive, detail
FROM service_sign ORDER BY service, instance;

-- name: list_deadletters
-- Only the newest 10,000 are shown.
SELECT id, at, topic, station, reason, detail, excerpt, size, refused, shard FROM dead_letter
WHERE id < $1 AND id > coalesce((SELECT id FROM dead_letter ORDER BY id DESC OFFSET 10000 LIMIT 1), 0)
ORDER BY id DESC LIMIT $2;

-- name: list_set_aside
-- What the services cannot judge, the latest first.
SELECT service, kind, subject, why, since FROM set_aside ORDER BY since DESC, service, kind, subject LIMIT $1;

-- name: count_set_aside
SELECT service, count(*) AS things FROM set_aside GROUP BY service;

-- name: list_unregistered
SELECT station, terminals, first_seen_at, last_seen_at, messages FROM unregistered
WHERE (last_seen_at, station) < ($1, $2)
ORDER BY last_seen_at DESC, station DESC LIMIT $3;

-- name: is_shard_suspected
-- NULL when no partition ever heard of the shard.
SELECT bool_or(EXISTS (SELECT FROM suspicion s WHERE s.shard = c.shard AND s.ended_at IS NULL))
FROM partition_clock c WHERE c.shard = $1;

-- name: trust_shard
-- The incident process looks for decisions about the shards that it suspects.
INSERT INTO shard_decision (shard, actor, remark) VALUES ($1, $2, $3) RETURNING decided_at;
