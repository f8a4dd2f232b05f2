-- name: read_memory
-- All moments that the rules keep.
SELECT rule, subject, at FROM blind_spot_memory;

-- name: put_memory
-- Moments that changed.
INSERT INTO blind_spot_memory (rule, subject, at)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
ON CONFLICT (rule, subject) DO UPDATE SET at = excluded.at;

-- name: drop_memory
-- Moments that no rule keeps any longer.
DELETE FROM blind_spot_memory AS m USING unnest($1::text[], $2::text[]) AS gone (rule, subject)
WHERE m.rule = gone.rule AND m.subject = gone.subject;

-- name: read_open_spots
-- Incidents of blind spots that are open or shelved, with the key of their parent.
SELECT i.key, i.began_at AS since, i.detail ->> 'stage' AS stage, parent.key AS parent_key
FROM incident i LEFT JOIN incident parent ON parent.id = i.parent
WHERE i.kind = 'blind_spot' AND (i.status <> 'closed' OR i.reopen_at IS NOT NULL);

-- name: read_targeted_areas
-- Every area that a target names, or that lies below a named area at the level of the target.
SELECT a.code AS area, array_agg(t.id ORDER BY t.id COLLATE "C") AS targets
FROM target t
JOIN area a ON a.path && t.areas AND CASE WHEN t.level IS NULL THEN a.code = ANY (t.areas) ELSE a.level = t.level END
GROUP BY a.code;

-- name: read_counts
-- The stored numbers of all areas.
SELECT area, online, unusable, offline, away, unknown, closed, excused, never_seen, suspended, working FROM area_count;

-- name: put_counts
-- The numbers of areas that changed.
INSERT INTO area_count (area, online, unusable, offline, away, unknown, closed, excused, never_seen, suspended,
                        working)
SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[],
                     $9::int[], $10::int[], $11::int[])
ON CONFLICT (area) DO UPDATE SET
    online = excluded.online, unusable = excluded.unusable, offline = excluded.offline, away = excluded.away,
    unknown = excluded.unknown, closed = excluded.closed, excused = excluded.excused, never_seen = excluded.never_seen,
    suspended = excluded.suspended, working = excluded.working;

-- name: put_counts_known
-- Up to which moment the numbers are known, and when that was decided.
INSERT INTO area_count_known (known_at, told_at) VALUES ($1, $2)
ON CONFLICT (one) DO UPDATE SET known_at = excluded.known_at, told_at = excluded.told_at;

-- name: read_all_gaps
-- Unknown time long enough to matter.
SELECT partition, shard, began_at, ended_at, seq FROM pipeline_gap
WHERE ended_at > $1 AND ended_at - began_at > interval '1 second';

-- name: read_newer_gaps
-- The gaps of each partition ($1) after its newest known number ($2).
SELECT g.partition, g.shard, g.began_at, g.ended_at, g.seq
FROM (SELECT DISTINCT partition FROM partition_clock) AS p
LEFT JOIN unnest($1::int[], $2::bigint[]) AS known (partition, seq) ON known.partition = p.partition
JOIN pipeline_gap g ON g.partition = p.partition AND g.seq > coalesce(known.seq, -1);

-- name: read_snapshot
-- The mark for the next read of changed records: all transactions before it are over.
SELECT pg_snapshot_xmin(pg_current_snapshot());

-- name: read_records
-- The newest records of the registered terminals of each station together, for stations where a record changed since the
-- mark. One working access point is enough for the station.
SELECT f.station, min(f.first_at) AS first_at, max(f.last_session_at) AS last_session_at,
       max(f.resource_at) AS resource_at, bool_or(f.wifi) AS wifi, max(f.wifi_since) FILTER (WHERE NOT f.wifi) AS wifi_since
FROM terminal_facts f JOIN terminal t ON t.station = f.station AND t.id = f.terminal
WHERE f.station IN (SELECT station FROM terminal_facts WHERE changed_xid >= $1::xid8)
GROUP BY f.station;

-- name: read_reporting_usage
-- Stations that report usage, even if without any session.
SELECT station FROM unnest($1::text[]) AS asked (station)
WHERE EXISTS (SELECT FROM usage u WHERE u.station = asked.station);

-- name: read_reporting_resources
-- Stations that report resources, even if they have none.
SELECT station FROM unnest($1::text[]) AS asked (station)
WHERE EXISTS (SELECT FROM inventory i WHERE i.station = asked.station AND i.resources IS NOT NULL);
