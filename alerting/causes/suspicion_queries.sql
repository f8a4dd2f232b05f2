-- name: load_suspicions
-- The suspicions that go on, those whose members are still unknown, and those that ended within a day.
SELECT shard, opened_at, instant_from, instant_to, began_at, known_at, fell, counted, registry, ended_at, ended_by
FROM suspicion s
WHERE ended_at IS NULL OR ended_at > $1::timestamptz - interval '1 day'
   OR EXISTS (SELECT FROM suspicion_member m
              WHERE m.shard = s.shard AND m.opened_at = s.opened_at AND m.ended_at IS NULL)
ORDER BY opened_at, shard;

-- name: load_members
-- The stations that are unknown because of a suspicion.
SELECT shard, opened_at, station, heard_at, missed_at FROM suspicion_member WHERE ended_at IS NULL;

-- name: decisions
-- By shard: the last time at which a person decided that the shard is sound.
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
