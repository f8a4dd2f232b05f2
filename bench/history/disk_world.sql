-- name: changes
-- A station opens at nine and closes at five. Every thirtieth day its link is down for an hour. $1: stations, $2: days, $3: midnight.
INSERT INTO transition (partition, seq, station, terminal, before, after, usable, at, tick_at, seen_at, shard, reason)
SELECT n % 24, row_number() OVER (PARTITION BY n % 24 ORDER BY day, n, begins, terminal), 's' || lpad(n::text, 7, '0'), terminal, before,
       after, after = 'online', at, at + interval '1 second', at, 'main', reason
FROM generate_series(0, $1::int - 1) AS n, generate_series(0, $2::int - 1) AS day,
     (VALUES (535, 'away', 'online', 'heartbeat', false), (660, 'online', 'offline', 'missed_heartbeats', true),
             (720, 'offline', 'online', 'heartbeat', true), (1025, 'online', 'away', 'goodbye', false))
         AS c (begins, before, after, reason, falls),
     (VALUES (NULL), ('001')) AS t (terminal),
     LATERAL (SELECT $3::timestamptz + make_interval(days => day, mins => begins, secs => n % 60) AS at) AS m
WHERE NOT falls OR (n + day) % 30 = 0;

-- name: health
-- A record every five minutes while a terminal runs.
INSERT INTO health (ts, station, terminal, box, id, device_at, up, received_at, time_source, cpu, mem, disk, temp, rtt_ms, rx, tx, wifi, services)
SELECT ts, 's' || lpad(n::text, 7, '0'), '001', left(md5(n || '/' || day), 16), k, (extract(epoch FROM ts) * 1000)::bigint, k * 300 + random(),
       ts + make_interval(secs => 0.1 + random()), 'anchor', round((0.05 + 0.3 * random())::numeric, 3), round((0.4 + 0.05 * random())::numeric, 3),
       round((0.3 + n % 40 / 100.0 + day / 1000.0)::numeric, 3), round((45 + 8 * random())::numeric, 1), round((20 + 60 * random())::numeric, 1),
       k * 2000000 + (random() * 100000)::int, k * 150000 + (random() * 10000)::int, n % 3 = 0, '{"reader": true, "proxy": true, "tv": true}'
FROM generate_series(0, $1::int - 1) AS n, generate_series(0, $2::int - 1) AS day, generate_series(0, 97) AS k,
     LATERAL (SELECT $3::timestamptz + make_interval(days => day, mins => 535 + 5 * k, secs => n % 60 + random()) AS ts) AS m;

-- name: usage
-- Hourly use of the service of a station.
INSERT INTO usage (ts, station, terminal, box, id, device_at, up, received_at, time_source, until, device_until, sessions, minutes, by, bytes)
SELECT ts, 's' || lpad(n::text, 7, '0'), '001', left(md5(n || '/' || day), 16), 1000 + k, (extract(epoch FROM ts) * 1000)::bigint, k * 3600,
       ts + interval '1 hour 1 second', 'anchor', ts + interval '1 hour', (extract(epoch FROM ts) * 1000)::bigint + 3600000,
       (random() * 12)::int, round((random() * 240)::numeric, 1), jsonb_build_object('category', jsonb_build_object('books',
       (random() * 6)::int, 'video', (random() * 4)::int, 'news', (random() * 3)::int)), (random() * 500000000)::bigint
FROM generate_series(0, $1::int - 1) AS n, generate_series(0, $2::int - 1) AS day, generate_series(0, 7) AS k,
     LATERAL (SELECT $3::timestamptz + make_interval(days => day, hours => 9 + k, secs => n % 60) AS ts) AS m;

-- name: inventory
-- The parts of a machine, at each start.
INSERT INTO inventory (ts, station, terminal, box, id, device_at, up, received_at, time_source, model, serial, os, agent, cpu, mem_bytes, disk_bytes, installed, resources)
SELECT ts, 's' || lpad(n::text, 7, '0'), '001', left(md5(n || '/' || day), 16), 2000, (extract(epoch FROM ts) * 1000)::bigint, 5, ts, 'anchor', 'Mini PC N100',
       md5(n::text), 'Debian GNU/Linux 12', '1.0.0', 'Intel N100', 8589934592, 256000000000, '1.0.0', '{"books": 12000, "video": 340}'
FROM generate_series(0, $1::int - 1) AS n, generate_series(0, $2::int - 1) AS day,
     LATERAL (SELECT $3::timestamptz + make_interval(days => day, mins => 535, secs => n % 60) AS ts) AS m;

-- name: event
-- The start and the end of an agent.
INSERT INTO event (ts, station, terminal, box, id, device_at, up, received_at, time_source, name, detail)
SELECT ts, 's' || lpad(n::text, 7, '0'), '001', left(md5(n || '/' || day), 16), 3000 + k, (extract(epoch FROM ts) * 1000)::bigint, k, ts, 'anchor',
       (ARRAY['agent_started', 'agent_stopped'])[k + 1], '{"version": "1.0.0", "clean": true}'
FROM generate_series(0, $1::int - 1) AS n, generate_series(0, $2::int - 1) AS day, generate_series(0, 1) AS k,
     LATERAL (SELECT $3::timestamptz + make_interval(days => day, mins => 535 + 490 * k, secs => n % 60) AS ts) AS m;

-- name: presence
-- What terminals recorded while their link was down.
INSERT INTO presence (ts, station, terminal, box, id, device_at, up, received_at, time_source, until, device_until, until_up, usable)
SELECT ts, 's' || lpad(n::text, 7, '0'), '001', left(md5(n || '/' || day), 16), 4000, (extract(epoch FROM ts) * 1000)::bigint, 7500, ts + interval '61 minutes',
       'anchor', ts + interval '1 hour', (extract(epoch FROM ts) * 1000)::bigint + 3600000, 11100, true
FROM generate_series(0, $1::int - 1) AS n, generate_series(0, $2::int - 1) AS day,
     LATERAL (SELECT $3::timestamptz + make_interval(days => day, mins => 660, secs => n % 60) AS ts) AS m
WHERE (n + day) % 30 = 0;

-- name: boots
-- The ids of the records of each start, and its clock.
WITH boot AS (
    SELECT 's' || lpad(n::text, 7, '0') AS station, left(md5(n || '/' || day), 16) AS boot, day,
           $3::timestamptz + make_interval(days => day, mins => 535, secs => n % 60) AS at
    FROM generate_series(0, $1::int - 1) AS n, generate_series(0, $2::int - 1) AS day
), box AS (
    INSERT INTO record_box (station, terminal, box, seen) SELECT station, '001', boot, '{[0,109)}' FROM boot
)
INSERT INTO boot_anchor (station, terminal, boot, run, anchor, first_at, last_at)
SELECT station, '001', boot, day, extract(epoch FROM at), at, at + interval '8 hours' FROM boot;

-- name: touches
-- So that the figures by hour and by day are made.
INSERT INTO rollup_touch (kind, began_at)
SELECT DISTINCT 'health', date_trunc('hour', ts) FROM health UNION SELECT DISTINCT 'usage', date_trunc('hour', ts) FROM usage;

-- name: hypertables
-- Bytes of records and of figures on TimescaleDB, with indexes.
SELECT hypertable_name::text AS name, hypertable_size(format('%I.%I', hypertable_schema, hypertable_name)::regclass) AS bytes
FROM timescaledb_information.hypertables WHERE hypertable_name NOT LIKE '%materialized%'
UNION ALL
SELECT view_name::text, hypertable_size(format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)::regclass)
FROM timescaledb_information.continuous_aggregates;

-- name: compress
-- What the policies of TimescaleDB do with chunks after some days.
SELECT count(compress_chunk(chunk, if_not_compressed => true)) FROM (
    SELECT show_chunks(format('%I.%I', hypertable_schema, hypertable_name)::regclass) AS chunk FROM timescaledb_information.hypertables
    WHERE hypertable_name NOT LIKE '%materialized%'
    UNION ALL
    SELECT show_chunks(format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)::regclass)
    FROM timescaledb_information.continuous_aggregates) AS all_chunks;
