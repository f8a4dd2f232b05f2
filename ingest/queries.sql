-- name: server_version
SELECT version();

-- name: fetch_boots
-- All boots of a batch that are not in memory, in one query.
SELECT w.station, w.terminal, w.boot,
       b.seen::text AS seen,
       round(extract(epoch FROM b.after_at) * 1000)::bigint AS after,
       round(extract(epoch FROM b.before_at) * 1000)::bigint AS before,
       a.run, a.anchor,
       round(extract(epoch FROM a.first_at) * 1000)::bigint AS first_at,
       round(extract(epoch FROM a.last_at) * 1000)::bigint AS last_at
FROM unnest($1::text[], $2::text[], $3::text[]) AS w(station, terminal, boot)
LEFT JOIN record_box b ON b.station = w.station AND b.terminal = w.terminal AND b.box = w.boot
LEFT JOIN boot_anchor a ON a.station = w.station AND a.terminal = w.terminal AND a.boot = w.boot;

-- name: fetch_earlier
-- When a terminal was last heard before a run of it.
SELECT w.station, w.terminal, w.run,
       (SELECT round(extract(epoch FROM max(a.last_at)) * 1000)::bigint
        FROM boot_anchor a
        WHERE a.station = w.station AND a.terminal = w.terminal AND a.run < w.run) AS last_at
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w(station, terminal, run);

-- name: save_boxes
-- The bounds were fixed when the box was met. ms divided by 1000.0 in double precision are exact to the microsecond.
INSERT INTO record_box (station, terminal, box, seen, after_at, before_at)
SELECT station, terminal, box, seen::int8multirange,
       to_timestamp(after / 1000.0::double precision), to_timestamp(before / 1000.0::double precision)
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
    AS w(station, terminal, box, seen, after, before)
ON CONFLICT (station, terminal, box) DO UPDATE SET seen = excluded.seen;

-- name: update_boxes
-- Boxes that have a row, which is nearly all of them: one text of lines and fields (record and unit separators)
-- costs half of what arrays and an upsert do.
UPDATE record_box AS b SET seen = w.seen::int8multirange
FROM (
    SELECT split_part(line, E'\x1f', 1) AS station, split_part(line, E'\x1f', 2) AS terminal,
           split_part(line, E'\x1f', 3) AS box, split_part(line, E'\x1f', 4) AS seen
    FROM string_to_table($1::text, E'\x1e') AS line
) AS w
WHERE b.station = w.station AND b.terminal = w.terminal AND b.box = w.box;

-- name: save_anchors
INSERT INTO boot_anchor (station, terminal, boot, run, anchor, first_at, last_at)
SELECT station, terminal, boot, run, anchor,
       to_timestamp(first_at / 1000.0::double precision), to_timestamp(last_at / 1000.0::double precision)
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::double precision[], $6::bigint[], $7::bigint[])
    AS w(station, terminal, boot, run, anchor, first_at, last_at)
ON CONFLICT (station, terminal, boot) DO UPDATE
SET anchor = excluded.anchor, first_at = excluded.first_at, last_at = excluded.last_at;

-- name: insert_touches
-- Hours whose figures change (store/migrations, rollups), as numbers of hours since the epoch.
INSERT INTO rollup_touch (kind, began_at, station)
SELECT kind, to_timestamp(hour * 3600.0::double precision), station
FROM unnest($1::text[], $2::bigint[], $3::text[]) AS w(kind, hour, station);

-- name: insert_health
INSERT INTO health (ts, station, terminal, box, received_at, time_source, id, device_at, up,
                    cpu, mem, disk, temp, rtt_ms, rx, tx, wifi, services)
SELECT ts, station, terminal, box, received_at, time_source, id, at, up,
       cpu, mem, disk, temp, rtt_ms, rx, tx, wifi, services::jsonb
FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::bigint[],
            $8::bigint[], $9::double precision[], $10::real[], $11::real[], $12::real[], $13::real[], $14::real[],
            $15::bigint[], $16::bigint[], $17::boolean[], $18::text[])
    AS w(ts, station, terminal, box, received_at, time_source, id, at, up,
         cpu, mem, disk, temp, rtt_ms, rx, tx, wifi, services);

-- name: insert_usage
INSERT INTO usage (ts, station, terminal, box, received_at, time_source, until, id, device_at, up,
                   device_until, sessions, minutes, by, bytes)
SELECT ts, station, terminal, box, received_at, time_source, until, id, at, up, device_until, sessions, minutes, by::jsonb, bytes
FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::timestamptz[],
            $8::bigint[], $9::bigint[], $10::double precision[], $11::bigint[], $12::bigint[], $13::double precision[],
            $14::text[], $15::bigint[])
    AS w(ts, station, terminal, box, received_at, time_source, until, id, at, up,
         device_until, sessions, minutes, by, bytes);

-- name: insert_inventory
INSERT INTO inventory (ts, station, terminal, box, received_at, time_source, id, device_at, up,
                       model, serial, os, agent, cpu, mem_bytes, disk_bytes, installed, resources)
SELECT ts, station, terminal, box, received_at, time_source, id, at, up,
       model, serial, os, agent, cpu, mem_bytes, disk_bytes, installed, resources::jsonb
FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::bigint[],
            $8::bigint[], $9::double precision[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
            $15::bigint[], $16::bigint[], $17::text[], $18::text[])
    AS w(ts, station, terminal, box, received_at, time_source, id, at, up,
         model, serial, os, agent, cpu, mem_bytes, disk_bytes, installed, resources);

-- name: insert_presence
INSERT INTO presence (ts, station, terminal, box, received_at, time_source, until, id, device_at, up,
                      device_until, until_up, usable)
SELECT ts, station, terminal, box, received_at, time_source, until, id, at, up, device_until, until_up, usable
FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::timestamptz[],
            $8::bigint[], $9::bigint[], $10::double precision[], $11::bigint[], $12::double precision[], $13::boolean[])
    AS w(ts, station, terminal, box, received_at, time_source, until, id, at, up, device_until, until_up, usable);

-- name: insert_event
INSERT INTO event (ts, station, terminal, box, received_at, time_source, id, device_at, up, name, detail)
SELECT ts, station, terminal, box, received_at, time_source, id, at, up, name, detail::jsonb
FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::bigint[],
            $8::bigint[], $9::double precision[], $10::text[], $11::text[])
    AS w(ts, station, terminal, box, received_at, time_source, id, at, up, name, detail);

-- name: compare_health
-- Repeated records beside what is stored under their ids within $19 of their times. It takes what insert_health takes.
SELECT w.place, ROW(r.device_at, r.up, r.cpu, r.mem, r.disk, r.temp, r.rtt_ms, r.rx, r.tx, r.wifi, r.services)
    IS NOT DISTINCT FROM ROW(w.device_at, w.up, w.cpu, w.mem, w.disk, w.temp, w.rtt_ms, w.rx, w.tx, w.wifi, w.services::jsonb) AS same
FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::bigint[],
            $8::bigint[], $9::double precision[], $10::real[], $11::real[], $12::real[], $13::real[],
            $14::real[], $15::bigint[], $16::bigint[], $17::boolean[], $18::text[])
    WITH ORDINALITY AS w(ts, station, terminal, box, received_at, time_source, id, device_at, up, cpu, mem, disk, temp, rtt_ms,
         rx, tx, wifi, services, place)
JOIN health AS r ON r.station = w.station AND r.ts BETWEEN w.ts - $19::interval AND w.ts + $19::interval
    AND r.terminal = w.terminal AND r.box = w.box AND r.id = w.id;

-- name: compare_usage
-- Repeated records beside what is stored under their ids within $16 of their times. It takes what insert_usage takes.
SELECT w.place, ROW(r.device_at, r.up, r.device_until, r.sessions, r.minutes, r.by, r.bytes)
    IS NOT DISTINCT FROM ROW(w.device_at, w.up, w.device_until, w.sessions, w.minutes, w.by::jsonb, w.bytes) AS same
FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[],
            $7::timestamptz[], $8::bigint[], $9::bigint[], $10::double precision[], $11::bigint[],
            $12::bigint[], $13::double precision[], $14::text[], $15::bigint[])
    WITH ORDINALITY AS w(ts, station, terminal, box, received_at, time_source, until, id, device_at, up, device_until, sessions,
         minutes, by, bytes, place)
JOIN usage AS r ON r.station = w.station AND r.ts BETWEEN w.ts - $16::interval AND w.ts + $16::interval
    AND r.terminal = w.terminal AND r.box = w.box AND r.id = w.id;

-- name: compare_inventory
-- Repeated records beside what is stored under their ids within $19 of their times. It takes what insert_inventory takes.
SELECT w.place, ROW(r.device_at, r.up, r.model, r.serial, r.os, r.agent, r.cpu, r.mem_bytes, r.disk_bytes, r.installed,
           r.resources)
    IS NOT DISTINCT FROM ROW(w.device_at, w.up, w.model, w.serial, w.os, w.agent, w.cpu, w.mem_bytes, w.disk_bytes, w.installed,
           w.resources::jsonb) AS same
FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::bigint[],
            $8::bigint[], $9::double precision[], $10::text[], $11::text[], $12::text[], $13::text[],
            $14::text[], $15::bigint[], $16::bigint[], $17::text[], $18::text[])
    WITH ORDINALITY AS w(ts, station, terminal, box, received_at, time_source, id, device_at, up, model, serial, os, agent, cpu,
         mem_bytes, disk_bytes, installed, resources, place)
JOIN inventory AS r ON r.station = w.station AND r.ts BETWEEN w.ts - $19::interval AND w.ts + $19::interval
    AND r.terminal = w.terminal AND r.box = w.box AND r.id = w.id;

-- name: compare_presence
-- Repeated records beside what is stored under their ids within $14 of their times. It takes what insert_presence takes.
SELECT w.place, ROW(r.device_at, r.up, r.device_until, r.until_up, r.usable)
    IS NOT DISTINCT FROM ROW(w.device_at, w.up, w.device_until, w.until_up, w.usable) AS same
FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[],
            $7::timestamptz[], $8::bigint[], $9::bigint[], $10::double precision[], $11::bigint[], $12::double
            precision[], $13::boolean[])
    WITH ORDINALITY AS w(ts, station, terminal, box, received_at, time_source, until, id, device_at, up, device_until, until_up,
         usable, place)
JOIN presence AS r ON r.station = w.station AND r.ts BETWEEN w.ts - $14::interval AND w.ts + $14::interval
    AND r.terminal = w.terminal AND r.box = w.box AND r.id = w.id;

-- name: compare_event
-- Repeated records beside what is stored under their ids within $12 of their times. It takes what insert_event takes.
SELECT w.place, ROW(r.device_at, r.up, r.name, r.detail)
    IS NOT DISTINCT FROM ROW(w.device_at, w.up, w.name, w.detail::jsonb) AS same
FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::bigint[],
            $8::bigint[], $9::double precision[], $10::text[], $11::text[])
    WITH ORDINALITY AS w(ts, station, terminal, box, received_at, time_source, id, device_at, up, name, detail, place)
JOIN event AS r ON r.station = w.station AND r.ts BETWEEN w.ts - $12::interval AND w.ts + $12::interval
    AND r.terminal = w.terminal AND r.box = w.box AND r.id = w.id;

-- name: find_elsewhere
-- The place of each of these records under which any kind has a record of that id, within $6 of its time.
SELECT DISTINCT w.place
FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::bigint[])
    WITH ORDINALITY AS w(ts, station, terminal, box, id, place)
CROSS JOIN LATERAL (
    SELECT 1 FROM health AS r WHERE r.station = w.station AND r.ts BETWEEN w.ts - $6::interval AND w.ts + $6::interval
        AND r.terminal = w.terminal AND r.box = w.box AND r.id = w.id
    UNION ALL
    SELECT 1 FROM usage AS r WHERE r.station = w.station AND r.ts BETWEEN w.ts - $6::interval AND w.ts + $6::interval
        AND r.terminal = w.terminal AND r.box = w.box AND r.id = w.id
    UNION ALL
    SELECT 1 FROM inventory AS r WHERE r.station = w.station AND r.ts BETWEEN w.ts - $6::interval AND w.ts + $6::interval
        AND r.terminal = w.terminal AND r.box = w.box AND r.id = w.id
    UNION ALL
    SELECT 1 FROM presence AS r WHERE r.station = w.station AND r.ts BETWEEN w.ts - $6::interval AND w.ts + $6::interval
        AND r.terminal = w.terminal AND r.box = w.box AND r.id = w.id
    UNION ALL
    SELECT 1 FROM event AS r WHERE r.station = w.station AND r.ts BETWEEN w.ts - $6::interval AND w.ts + $6::interval
        AND r.terminal = w.terminal AND r.box = w.box AND r.id = w.id
) AS found;

-- name: insert_replies
-- A stage of a command is reached once: the first receipt holds.
INSERT INTO command_reply (station, terminal, command, stage, device_at, received_at, result)
SELECT station, terminal, command, stage, at, to_timestamp(received_at / 1000.0::double precision), result::jsonb
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[])
    AS w(station, terminal, command, stage, at, received_at, result)
ON CONFLICT DO NOTHING;

-- name: insert_dead_letters
-- A place in the log gives one dead letter, however often it is read.
INSERT INTO dead_letter (source, at, topic, station, reason, detail, excerpt, size, refused, shard)
SELECT source, to_timestamp(at / 1000.0::double precision), topic, station, reason, detail, excerpt,
       size, refused, shard
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::integer[], $9::integer[], $10::text[])
    AS w(source, at, topic, station, reason, detail, excerpt, size, refused, shard)
ON CONFLICT (source) DO NOTHING;

-- name: trim_dead_letters
-- Keeps the newest $1. Several processes may do it at once, so none waits for a row that another one deletes.
DELETE FROM dead_letter WHERE id IN (
    SELECT id FROM dead_letter
    WHERE id < (SELECT id FROM dead_letter ORDER BY id DESC OFFSET $1 - 1 LIMIT 1)
    ORDER BY id FOR UPDATE SKIP LOCKED
);
