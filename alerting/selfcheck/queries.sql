-- name: read_signs
-- Seconds since the newest sign of life of each service; of the incident processes only the leading one counts.
SELECT service, extract(epoch FROM clock_timestamp() - max(at) FILTER (WHERE service <> 'incidents' OR role = 'leading'))
       ::float8 AS age
FROM service_sign WHERE service <> 'watch' GROUP BY service;

-- name: read_restart
-- Seconds until the end of an announced restart; null without one.
SELECT extract(epoch FROM max(until_at) - clock_timestamp())::float8 FROM announced_restart
WHERE until_at > clock_timestamp();

-- name: read_positions
-- The next offset of every consumer in every partition.
SELECT consumer, topic, partition, log, next_offset FROM consumer_offset ORDER BY consumer, topic, partition;

-- name: read_streams
-- The position of a reader of transitions in each partition, and the end of the partition.
SELECT p.partition, coalesce(c.seq, -1) AS next_offset,
       coalesce((SELECT max(t.seq) FROM transition t WHERE t.partition = p.partition), -1) AS end_offset
FROM (SELECT DISTINCT partition FROM partition_clock) p
LEFT JOIN stream_cursor c ON c.reader = $1 AND c.partition = p.partition;

-- name: save_ends
-- The ends of partitions; the API shows the distance to them as lag.
INSERT INTO log_end (topic, partition, log, end_offset, at)
SELECT topic, partition, $1, end_offset, clock_timestamp()
FROM unnest($2::text[], $3::int[], $4::bigint[]) AS m (topic, partition, end_offset)
ON CONFLICT (topic, partition) DO UPDATE SET log = excluded.log, end_offset = excluded.end_offset, at = excluded.at;
