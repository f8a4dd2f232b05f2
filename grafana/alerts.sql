-- One number each, without one nothing is known.

-- name: clock
-- Seconds since the oldest pipeline clock stood still.
SELECT extract(epoch FROM now() - min(known_until))::float8 AS value FROM clock_trust;

-- name: doubtful
-- Partitions of which the clock cannot be trusted: their stations are unknown.
SELECT count(*)::float8 AS value FROM clock_trust WHERE doubt IS NOT NULL;

-- name: lag
-- Messages in Kafka that a process has not read yet, of the one that is furthest behind.
SELECT coalesce(max(lag), 0)::float8 AS value
FROM (SELECT sum(greatest(e.end_offset - c.next_offset, 0)) AS lag
      FROM consumer_offset c JOIN log_end e USING (topic, partition, log) GROUP BY c.consumer) AS each;

-- name: silent
-- Seconds since the last sign of the process that is silent longest, of those that were alive within the hour.
SELECT coalesce(max(age), 0)::float8 AS value
FROM (SELECT extract(epoch FROM now() - max(at)) AS age FROM service_sign GROUP BY service) AS each;

-- name: aside
-- What the processes set aside because it cannot be judged: stations, closures, contacts, parts of a process.
SELECT count(*)::float8 AS value FROM set_aside;

-- name: undelivered
-- Seconds for which the oldest message to a person has waited.
SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS value
FROM message WHERE status IN ('due', 'sending', 'hastened');

-- name: unsealed
-- Seconds since the newest checkpoint of the ledger was signed.
SELECT extract(epoch FROM now() - max(signed_at))::float8 AS value FROM ledger_checkpoint;
