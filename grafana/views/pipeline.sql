-- name: standing
-- The platform itself in one row: how old its oldest clock is, what it cannot trust, and what waits. Without clocks or consumers
-- their numbers are empty, because 0 would say that all is well.
SELECT (SELECT extract(epoch FROM now() - min(known_until))::float8 FROM clock_trust) AS age,
       (SELECT nullif(count(*), 0) - count(*) FILTER (WHERE doubt IS NULL) FROM clock_trust) AS doubtful,
       (SELECT sum(greatest(e.end_offset - c.next_offset, 0))::float8
        FROM consumer_offset c JOIN log_end e USING (topic, partition, log)) AS lag,
       (SELECT count(*) FROM delivery WHERE status = 'pending') + (SELECT count(*) FROM message WHERE status IN ('due', 'sending'))
           AS waiting,
       (SELECT count(*) FROM set_aside) AS aside;

-- name: processes
-- The processes that were alive within the last hour.
SELECT service, instance, role, extract(epoch FROM now() - at)::float8 AS sign
FROM service_sign ORDER BY at, service, instance LIMIT 200;

-- name: clocks
-- One line per shard: the age of its oldest clock, and how many partitions cannot be trusted now.
SELECT shard, count(*) AS partitions, extract(epoch FROM now() - min(known_until))::float8 AS age,
       count(*) FILTER (WHERE doubt IS NOT NULL) AS doubtful, min(doubtful_since) AS since
FROM clock_trust GROUP BY shard ORDER BY shard LIMIT 500;

-- name: consumers
-- How far each process is behind the end of each topic.
SELECT c.consumer, c.topic, count(*) AS partitions, sum(greatest(e.end_offset - c.next_offset, 0))::float8 AS lag,
       max(c.updated_at) AS newest
FROM consumer_offset c LEFT JOIN log_end e USING (topic, partition, log)
GROUP BY 1, 2 ORDER BY lag DESC NULLS LAST, 1, 2 LIMIT 200;

-- name: gaps
-- Time in which the pipeline was blind. All partitions of a shard are blind together, so they are one line.
SELECT shard, min(began_at) AS began, max(ended_at) AS ended,
       extract(epoch FROM max(ended_at) - min(began_at))::float8 AS lasts, reason AS gap, count(*) AS partitions
FROM pipeline_gap
WHERE began_at <= $__timeTo() AND ended_at >= $__timeFrom()
GROUP BY shard, reason, date_trunc('second', ended_at) ORDER BY ended DESC LIMIT 50;

-- name: transitions
-- How many changes of stations and terminals were judged.
SELECT $__timeGroupAlias(at, $__interval), count(*)::float8 AS changes
FROM transition WHERE $__timeFilter(at) GROUP BY 1 ORDER BY 1 LIMIT 5000;

-- name: refused
-- Messages that were refused, by reason.
SELECT reason AS refused, count(*)::float8 AS messages, max(at) AS newest
FROM dead_letter WHERE $__timeFilter(at) GROUP BY reason ORDER BY messages DESC, reason LIMIT 50;

-- name: aside
-- What a process could not judge and set aside.
SELECT service, kind AS thing, subject, why, since FROM set_aside ORDER BY since DESC, service, subject LIMIT 100;

-- name: sizes
-- The largest tables on disk.
SELECT c.relname AS "table", pg_total_relation_size(c.oid)::float8 AS size
FROM pg_class c
WHERE c.relkind IN ('r', 'm') AND c.relnamespace = 'public'::regnamespace
ORDER BY size DESC, 1 LIMIT 20;
