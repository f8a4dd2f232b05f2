-- name: load_clocks
-- The pipeline clocks of a partition.
SELECT shard, memory FROM partition_clock WHERE partition = $1 ORDER BY shard;

-- name: load_terminals
-- Times in ms. What is not known is as the columns in memory have it, and so is a time out of bounds.
SELECT station, terminal, shard, state,
       coalesce((extract(epoch FROM CASE WHEN since = held(since) THEN since END) * 1000)::bigint, 0),
       coalesce((extract(epoch FROM CASE WHEN seen_at = held(seen_at) THEN seen_at END) * 1000)::bigint, 0),
       boot, run, conn, n, every, seen, deadline,
       coalesce(usable::int, -1), coalesce(users, -1), memory::text AS memory
FROM terminal_state WHERE partition = $1;

-- name: load_stations
-- The states of stations, with times as in load_terminals.
SELECT station, state, coalesce((extract(epoch FROM CASE WHEN since = held(since) THEN since END) * 1000)::bigint, 0),
       coalesce(usable::int, -1), shard
FROM station_state WHERE partition = $1;

-- name: load_registrations
-- Of the stations that were heard in this partition. Few terminals do not count, so these are looked up the other
-- way round, through their own index.
SELECT s.id, s.quorum, coalesce(silent.ids, '{}') AS not_counting
FROM (SELECT DISTINCT station FROM terminal_state WHERE partition = $1) AS heard
JOIN station s ON s.id = heard.station
LEFT JOIN (SELECT station, array_agg(id) AS ids FROM terminal WHERE NOT counts GROUP BY station) AS silent
    ON silent.station = s.id;

-- name: load_sequences
-- The newest numbers of a partition: the next transition, gap and move of a terminal go on from them.
SELECT coalesce((SELECT max(seq) FROM transition WHERE partition = $1), 0) AS transitions,
       coalesce((SELECT max(seq) FROM pipeline_gap WHERE partition = $1), 0) AS gaps,
       coalesce((SELECT max(seq) FROM shard_move WHERE partition = $1), 0) AS moves;

-- name: snapshot_horizon
-- Every transaction that may still commit a registry change has this number or a higher one.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text;

-- name: changed_registrations
-- Stations that changed since a horizon ($1).
SELECT s.id, s.quorum,
       array(SELECT t.id FROM terminal t WHERE t.station = s.id AND NOT t.counts) AS not_counting
FROM station s WHERE s.changed_xid >= $1::text::xid8;

-- name: registrations_of
-- What the registry says of these stations, as far as it knows them.
SELECT s.id, s.quorum,
       array(SELECT t.id FROM terminal t WHERE t.station = s.id AND NOT t.counts) AS not_counting
FROM station s WHERE s.id = ANY ($1::text[]);

-- name: refresh_unregistered
-- When stations that are not registered were last heard; those that were registered meanwhile leave the list.
WITH heard AS (
    SELECT station, max(seen_at) AS seen_at FROM terminal_state
    WHERE station IN (SELECT station FROM unregistered) GROUP BY station
), gone AS (
    DELETE FROM unregistered WHERE station IN (SELECT id FROM station)
)
UPDATE unregistered AS u SET last_seen_at = heard.seen_at
FROM heard WHERE heard.station = u.station AND heard.seen_at > u.last_seen_at
  AND u.station NOT IN (SELECT id FROM station);

-- name: save_terminals
-- Times come as ms.
INSERT INTO terminal_state AS t (partition, station, terminal, shard, state, since, seen_at, boot, run, conn, n,
                                 every, seen, deadline, usable, users, memory)
SELECT $1, station, terminal, shard, state, to_timestamp(since / 1000.0), to_timestamp(seen_at / 1000.0),
       boot, run, conn, n, every, seen, deadline, usable, users, memory::jsonb
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::bigint[],
            $10::bigint[], $11::bigint[], $12::float8[], $13::float8[], $14::float8[], $15::boolean[],
            $16::bigint[], $17::text[])
     AS m (station, terminal, shard, state, since, seen_at, boot, run, conn, n, every, seen, deadline, usable,
           users, memory)
ON CONFLICT (station, terminal) DO UPDATE SET
    shard = excluded.shard, state = excluded.state, since = excluded.since, seen_at = excluded.seen_at,
    boot = excluded.boot, run = excluded.run, conn = excluded.conn, n = excluded.n, every = excluded.every,
    seen = excluded.seen, deadline = excluded.deadline, usable = excluded.usable, users = excluded.users,
    memory = excluded.memory;

-- name: save_stations
-- Times come as ms.
INSERT INTO station_state (partition, station, state, since, usable, shard)
SELECT $1, station, state, to_timestamp(since / 1000.0), usable, shard
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::boolean[], $6::text[]) AS m (station, state, since, usable, shard)
ON CONFLICT (station) DO UPDATE SET
    state = excluded.state, since = excluded.since, usable = excluded.usable, shard = excluded.shard;

-- name: save_transitions
-- Times come as ms. The numbers make each row the only one of its kind.
INSERT INTO transition (partition, seq, station, terminal, before, after, usable, at, tick_at, deadline_at, seen_at,
                        shard, reason)
SELECT $1, seq, station, terminal, before, after, usable, to_timestamp(at / 1000.0), to_timestamp(tick_at / 1000.0),
       to_timestamp(deadline_at / 1000.0), to_timestamp(seen_at / 1000.0), shard, reason
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::bigint[], $9::bigint[],
            $10::bigint[], $11::bigint[], $12::text[], $13::text[])
     AS m (seq, station, terminal, before, after, usable, at, tick_at, deadline_at, seen_at, shard, reason);

-- name: save_gaps
-- Times come as ms.
INSERT INTO pipeline_gap (partition, seq, shard, began_at, ended_at, reason)
SELECT $1, seq, shard, to_timestamp(began_at / 1000.0), to_timestamp(ended_at / 1000.0), reason
FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::text[])
     AS m (seq, shard, began_at, ended_at, reason);

-- name: save_moves
-- Times come as ms.
INSERT INTO shard_move (partition, seq, station, terminal, before, after, at)
SELECT $1, seq, station, terminal, before, after, to_timestamp(at / 1000.0)
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
     AS m (seq, station, terminal, before, after, at);

-- name: save_clocks
-- judged_at is the clock of the database, by which a reader sees whether the judge is alive.
INSERT INTO partition_clock (partition, shard, clock, tick_at, judged_at, blind_since, memory)
SELECT partition, shard, clock, to_timestamp(tick_at / 1000.0), clock_timestamp(),
       to_timestamp(blind_since / 1000.0), memory::jsonb
FROM unnest($1::int[], $2::text[], $3::float8[], $4::bigint[], $5::bigint[], $6::text[])
     AS m (partition, shard, clock, tick_at, blind_since, memory)
ON CONFLICT (partition, shard) DO UPDATE SET
    clock = excluded.clock, tick_at = excluded.tick_at, judged_at = excluded.judged_at,
    blind_since = excluded.blind_since, memory = excluded.memory;

-- name: notify_transitions
-- Wakes the incident process.
SELECT pg_notify('milepost_transition', '');
