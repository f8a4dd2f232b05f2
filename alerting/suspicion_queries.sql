-- name: load_suspicions
-- Those that go on, those with stations that are still to be heard, and those that ended within a day.
SELECT shard, opened_at, instant_from, instant_to, began_at, known_at, fell, counted, registry, ended_at, ended_by
FROM suspicion s
WHERE ended_at IS NULL OR ended_at > $1::timestamptz - interval '1 day'
   OR EXISTS (SELECT FROM suspicion_member m
              WHERE m.shard = s.shard AND m.opened_at = s.opened_at AND m.ended_at IS NULL)
ORDER BY opened_at, shard;

-- name: load_members
-- The stations that are unknown because of a suspicion.
SELECT shard, opened_at, station, heard_at, missed_at FROM suspicion_member WHERE ended_at IS NULL;

-- name: read_shard_peers
-- When stations were heard last and should be heard next, and whether each of their terminals is overdue on its clock, or
-- its Last Will has come. Those that were heard last before a gap have two intervals and $2 seconds after it.
SELECT t.station, max(t.seen_at) AS began, max(t.seen_at + t.every * interval '1 second') AS until,
       bool_and(t.state = 'offline' OR coalesce((t.memory ->> 'will')::boolean, false)
                OR (t.seen + t.every < c.clock
                    AND (t.seen > s.stretch_from OR c.clock - s.stretch_from >= 2 * t.every + $2::float8))) AS overdue
FROM terminal_state t JOIN partition_clock c USING (partition, shard)
CROSS JOIN LATERAL (SELECT coalesce((c.memory ->> 'stretch_from')::float8, -1) AS stretch_from) s
WHERE t.station = ANY ($1::text[]) AND t.state IN ('online', 'offline', 'conflicting') AND t.seen_at IS NOT NULL
GROUP BY t.station;

-- name: decisions
-- When a person decided last that a shard is sound.
SELECT shard, max(decided_at) AS decided_at FROM shard_decision WHERE shard = ANY ($1::text[]) GROUP BY shard;

-- name: save_suspicions
INSERT INTO suspicion (shard, opened_at, instant_from, instant_to, began_at, known_at, fell, counted, registry, ended_at,
                       ended_by)
SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[],
                     $6::timestamptz[], $7::int[], $8::int[], $9::text[], $10::timestamptz[], $11::text[])
ON CONFLICT (shard, opened_at) DO UPDATE SET
    fell = excluded.fell, counted = excluded.counted, ended_at = excluded.ended_at, ended_by = excluded.ended_by;

-- name: save_members
INSERT INTO suspicion_member (shard, opened_at, station, heard_at, missed_at, ended_at, returned)
SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::timestamptz[], $5::timestamptz[],
                     $6::timestamptz[], $7::boolean[])
ON CONFLICT (shard, opened_at, station, missed_at) DO UPDATE SET
    ended_at = excluded.ended_at, returned = excluded.returned;
