-- name: changes_of
-- Decisions about stations ($1): the one in force at $2, and all decided after it that begin before $3. A later decision replaces
-- what begins after it, so the one in force has the highest number of those that begin before; it is looked for among the
-- last hundred, or a station with a long history would cost more each day.
SELECT s.station, t.seq, held(t.at) AS at, t.after, t.usable
FROM unnest($1::text[]) AS s (station)
CROSS JOIN LATERAL (
    SELECT coalesce(max(seq), 0) AS seq FROM (
        SELECT seq FROM transition WHERE station = s.station AND terminal IS NULL AND at <= $2
        ORDER BY at DESC LIMIT 100) AS latest
) AS standing
CROSS JOIN LATERAL (
    SELECT seq, at, after, usable FROM transition
    WHERE station = s.station AND terminal IS NULL AND at > $2 AND at < $3 AND seq > standing.seq
    UNION ALL
    (SELECT seq, at, after, usable FROM transition
     WHERE station = s.station AND terminal IS NULL AND at <= $2 AND seq = standing.seq ORDER BY at DESC LIMIT 1)
) AS t
ORDER BY s.station, t.seq;

-- name: presence_of
-- What terminals of stations ($1) recorded about the window ($2, $3) while their link was down.
SELECT station, terminal, held(ts) AS ts, held(until) AS until, usable, held(received_at) AS received_at
FROM presence
WHERE station = ANY ($1) AND ts < $3 AND until > $2 AND time_source <> 'unknown';

-- name: suspicions_of
-- When stations ($1) were unknown because their shard was suspected, of the window ($2, $3).
SELECT station, held(missed_at) AS began_at, held(coalesce(ended_at, 'infinity')) AS ended_at FROM suspicion_member
WHERE station = ANY ($1) AND missed_at < $3 AND (ended_at > $2 OR ended_at IS NULL);

-- name: any_gap
-- Whether the pipeline had a gap in the window ($1, $2).
SELECT EXISTS (SELECT FROM pipeline_gap WHERE began_at < $2 AND ended_at > $1);

-- name: gaps_of
-- Gaps of the pipeline in the window ($2, $3), of each (partition, shard) through which a station ($1) was heard, as far as it
-- was: by the moves of its terminals, before these by its transitions (station_shards in api/read/queries.sql says how).
SELECT DISTINCT s.station, held(greatest(g.began_at, heard.since)) AS began_at, held(least(g.ended_at, heard.until)) AS ended_at
FROM unnest($1::text[]) AS s (station)
CROSS JOIN LATERAL (
    WITH moved AS (
        SELECT terminal, partition, before, after, at,
               lag(at) OVER (PARTITION BY terminal ORDER BY seq) AS earlier,
               lead(at) OVER (PARTITION BY terminal ORDER BY seq) AS later
        FROM shard_move WHERE station = s.station
    ), first AS (
        SELECT terminal, at FROM moved WHERE earlier IS NULL
    ), changed AS (
        SELECT DISTINCT ON (terminal, shard, partition) terminal, shard, partition, at
        FROM transition WHERE station = s.station AND at < $3 ORDER BY terminal, shard, partition, at
    )
    SELECT t.shard, t.partition, held('-infinity') AS since, held('infinity') AS until
    FROM terminal_state t WHERE t.station = s.station AND NOT EXISTS (SELECT FROM first WHERE first.terminal = t.terminal)
    UNION ALL
    SELECT c.shard, c.partition, held('-infinity'), coalesce(first.at, held('infinity'))
    FROM changed c LEFT JOIN first USING (terminal)
    WHERE c.terminal IS NOT NULL AND (first.at IS NULL OR c.at < first.at)
    UNION ALL
    SELECT before, partition, held('-infinity'), at FROM moved WHERE earlier IS NULL
    UNION ALL
    SELECT after, partition, at, coalesce(later, held('infinity')) FROM moved WHERE at < $3
    UNION ALL
    SELECT c.shard, c.partition, held('-infinity'), held('infinity') FROM changed c
    WHERE c.terminal IS NULL AND NOT EXISTS (SELECT FROM moved)
) AS heard
JOIN pipeline_gap g ON g.partition = heard.partition AND g.shard = heard.shard
WHERE g.began_at < $3 AND g.ended_at > $2 AND g.began_at < heard.until AND g.ended_at > heard.since;

-- name: lock_state
-- How far days are kept, and from which day on all their sources exist (null: from the first); a second process waits here.
SELECT cut, first_day, last_day, days_with_sources() AS sources_from FROM day_state FOR UPDATE;

-- name: first_change
-- The time of the first decision of a judge, from $1 to $2 (the plausible times) and not after the pipeline clocks.
SELECT min(at) FROM transition
WHERE at >= $1::timestamptz AND at <= (SELECT least(max(tick_at), $2::timestamptz) FROM partition_clock);

-- name: begin_state
-- The first kept day will be $1.
INSERT INTO day_state (cut, first_day, last_day) VALUES (-1, $1::date, $1::date - 1) ON CONFLICT DO NOTHING;

-- name: set_state
UPDATE day_state SET cut = $1, last_day = $2;

-- name: tails
-- The newest numbers of each partition and up to which they were seen; only where something is new.
WITH RECURSIVE parts AS (
    SELECT 'transition' AS source, (SELECT min(partition) FROM transition) AS partition
    UNION ALL SELECT source, (SELECT min(t.partition) FROM transition t WHERE t.partition > p.partition)
    FROM parts p WHERE p.partition IS NOT NULL
), gaps AS (
    SELECT 'pipeline_gap' AS source, (SELECT min(partition) FROM pipeline_gap) AS partition
    UNION ALL SELECT source, (SELECT min(t.partition) FROM pipeline_gap t WHERE t.partition > p.partition)
    FROM gaps p WHERE p.partition IS NOT NULL
), moves AS (
    SELECT 'shard_move' AS source, (SELECT min(partition) FROM shard_move) AS partition
    UNION ALL SELECT source, (SELECT min(t.partition) FROM shard_move t WHERE t.partition > p.partition)
    FROM moves p WHERE p.partition IS NOT NULL
), newest AS (
    SELECT p.*, (SELECT max(seq) FROM transition t WHERE t.partition = p.partition) AS seq FROM parts p
    UNION ALL
    SELECT p.*, (SELECT max(seq) FROM pipeline_gap t WHERE t.partition = p.partition) FROM gaps p
    UNION ALL
    SELECT p.*, (SELECT max(seq) FROM shard_move t WHERE t.partition = p.partition) FROM moves p
)
SELECT n.source, n.partition, coalesce(s.seq, 0) AS since, n.seq AS until
FROM newest n LEFT JOIN day_seen s USING (source, partition)
WHERE n.partition IS NOT NULL AND n.seq > coalesce(s.seq, 0);

-- name: keep_seen
INSERT INTO day_seen (source, partition, seq) SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[])
ON CONFLICT (source, partition) DO UPDATE SET seq = excluded.seq;

-- name: new_changes
-- Of each station with new decisions: since when, and the last time named. $1: partitions, $2, $3: after and up to which number.
SELECT t.station, held(min(t.at)) AS began_at, held(max(t.at)) AS wakes
FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS n (partition, since, until)
JOIN transition t ON t.partition = n.partition AND t.seq > n.since AND t.seq <= n.until
WHERE t.terminal IS NULL GROUP BY t.station;

-- name: new_moves
-- The same of terminals that moved to another shard.
SELECT t.station, held(min(t.at)) AS began_at, held(max(t.at)) AS wakes
FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS n (partition, since, until)
JOIN shard_move t ON t.partition = n.partition AND t.seq > n.since AND t.seq <= n.until
GROUP BY t.station;

-- name: new_gaps
-- The same of stations that were heard, or once were heard, through a (partition, shard) with new gaps.
WITH gap AS (
    SELECT g.partition, g.shard, min(g.began_at) AS began_at, max(g.ended_at) AS ended_at
    FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS n (partition, since, until)
    JOIN pipeline_gap g ON g.partition = n.partition AND g.seq > n.since AND g.seq <= n.until
    GROUP BY g.partition, g.shard
), heard AS (
    SELECT t.station, gap.began_at, gap.ended_at FROM gap JOIN terminal_state t USING (partition, shard)
    UNION ALL
    SELECT m.station, gap.began_at, gap.ended_at
    FROM gap JOIN shard_move m ON m.partition = gap.partition AND gap.shard IN (m.before, m.after)
    UNION ALL
    SELECT s.station, gap.began_at, gap.ended_at FROM gap JOIN station_state s USING (partition)
    WHERE NOT EXISTS (SELECT FROM terminal_state t WHERE t.station = s.station)
)
SELECT station, held(min(began_at)) AS began_at, held(max(ended_at)) AS wakes FROM heard GROUP BY station;

-- name: take_touches
-- What triggers noted before the transaction; it is done when this transaction commits.
DELETE FROM day_touch WHERE taken RETURNING station, held(began_at) AS began_at, held(ended_at) AS ended_at, cause;

-- name: claim_touches
-- From now on no trigger changes these rows; a row that a writer changes now is waited for.
UPDATE day_touch SET taken = true WHERE NOT taken;

-- name: touched
-- The stations about which triggers noted a change.
SELECT DISTINCT station FROM day_touch;

-- name: new_facts
-- All facts of the subjects with new facts (ids after $1, up to $2). The fields are text, so that a fact that cannot be
-- read affects only its own row.
SELECT f.id, f.kind, f.subject, held(f.effective_at) AS effective_at, f.whole, f.fields::text AS fields
FROM (SELECT DISTINCT kind, subject FROM registry_fact WHERE id > $1 AND id <= $2) AS n
JOIN registry_fact f USING (kind, subject) WHERE f.id <= $2;

-- name: stations_of_kind
-- Stations that ever were of a kind.
SELECT DISTINCT subject FROM registry_fact WHERE kind = 'station' AND fields ->> 'kind' = $1;

-- name: stations_of_area
-- Stations that ever were in an area or below it.
SELECT DISTINCT subject FROM registry_fact
WHERE kind = 'station' AND fields ->> 'area' IN (
    SELECT subject FROM registry_fact WHERE kind = 'area' AND (subject = $1 OR fields -> 'path' ? $1));

-- name: stations_of_programme
-- Stations that ever were in a programme.
SELECT DISTINCT subject FROM registry_fact WHERE kind = 'programme' AND fields ? $1;

-- name: all_stations
-- Every station that was ever registered.
SELECT DISTINCT subject FROM registry_fact WHERE kind = 'station';

-- name: wake
-- From the next day on ($3) these stations are computed one by one, until nothing more is known to happen to them.
WITH woken AS (
    INSERT INTO day_wake (station, until) SELECT * FROM unnest($1::text[], $2::timestamptz[])
    ON CONFLICT (station) DO UPDATE SET until = greatest(day_wake.until, excluded.until)
    RETURNING station
), never AS (
    DELETE FROM day_member m USING woken w WHERE m.station = w.station AND m.until IS NULL AND m.since >= $3
)
UPDATE day_member m SET until = $3 FROM woken w WHERE m.station = w.station AND m.until IS NULL AND m.since < $3;

-- name: awake
-- Stations to compute one by one, in the order of their ids, after $1. Stations that are left out are tried separately.
SELECT station, held(until) AS until FROM day_wake w
WHERE station > $1
  AND NOT EXISTS (SELECT FROM set_aside a WHERE a.service = 'audit' AND a.kind = 'station' AND a.subject = w.station)
ORDER BY station LIMIT $2;

-- name: put_to_sleep
-- Nothing is known to happen to these stations from a day on: they join their groups.
WITH gone AS (
    DELETE FROM day_wake WHERE station = ANY ($1)
), made AS (
    INSERT INTO day_share (key) SELECT DISTINCT key FROM unnest($2::bytea[]) AS k (key) ON CONFLICT DO NOTHING
    RETURNING id, key
), shares AS (
    SELECT id, key FROM made UNION ALL SELECT id, key FROM day_share WHERE key = ANY ($2)
)
INSERT INTO day_member (station, since, share, path)
SELECT n.station, $4, s.id, string_to_array(n.path, '/')
FROM unnest($1::text[], $2::bytea[], $3::text[]) AS n (station, key, path) JOIN shares s USING (key)
ON CONFLICT (station, since) DO UPDATE SET share = excluded.share, path = excluded.path, until = NULL;

-- name: forget
-- These stations are not registered any more.
DELETE FROM day_wake WHERE station = ANY ($1);

-- name: samples
-- One station of each group that has stations and no figures of a day ($1) yet.
SELECT s.id AS share, m.station FROM day_share s
CROSS JOIN LATERAL (SELECT station FROM day_member WHERE share = s.id AND until IS NULL AND since <= $1 LIMIT 1) AS m
WHERE NOT EXISTS (SELECT FROM share_day d WHERE d.share = s.id AND d.day = $1);

-- name: members
-- The stations of groups.
SELECT station FROM day_member WHERE share = ANY ($1::bigint[]) AND until IS NULL;

-- name: leave_out
-- Set stations ($2) aside that could not be computed. Returns the stations that are new here or have another reason.
INSERT INTO set_aside AS a (service, kind, subject, why)
SELECT $1, 'station', station, why FROM unnest($2::text[], $3::text[]) AS n (station, why)
ON CONFLICT (service, kind, subject) DO UPDATE SET why = excluded.why WHERE a.why <> excluded.why
RETURNING subject, why;

-- name: left_out_of
-- The stations among $2 that are left out.
SELECT subject FROM set_aside WHERE service = $1 AND kind = 'station' AND subject = ANY ($2::text[]);

-- name: left_out
-- Some of the stations that are left out, in another order for each day ($2).
SELECT subject FROM set_aside WHERE service = $1 AND kind = 'station' ORDER BY md5(subject || $2::text) LIMIT $3;

-- name: forget_old_days
-- Remove what is said about revisions of old days after a month.
DELETE FROM set_aside WHERE service = $1 AND kind = 'old_days' AND since < now() - interval '30 days';

-- name: name_old_days
-- Say of stations ($2) why days are not revised; a service names at most $4 things. Returns what is new.
INSERT INTO set_aside AS a (service, kind, subject, why)
SELECT $1, 'old_days', station, why FROM unnest($2::text[], $3::text[]) AS n (station, why)
WHERE (SELECT count(*) FROM set_aside WHERE service = $1) < $4::int
   OR EXISTS (SELECT FROM set_aside o WHERE o.service = $1 AND o.kind = 'old_days' AND o.subject = station)
ON CONFLICT (service, kind, subject) DO UPDATE SET why = excluded.why, since = clock_timestamp() WHERE a.why <> excluded.why
RETURNING subject, why;

-- name: take_in
-- Remove stations that could be computed again.
DELETE FROM set_aside WHERE service = $1 AND kind = 'station' AND subject = ANY ($2::text[]);

-- name: add_area_days
-- The sums of a day that closes ($1).
INSERT INTO area_day (day, area, path, scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms)
SELECT $1::date, path[cardinality(path)], path, sum(scheduled_ms), sum(excused_ms), sum(unknown_ms), sum(online_ms), sum(service_due_ms), sum(usable_ms)
FROM (
    SELECT path, scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms
    FROM day_figure WHERE day = $1
    UNION ALL
    SELECT m.path, m.stations * d.scheduled_ms, m.stations * d.excused_ms, m.stations * d.unknown_ms,
           m.stations * d.online_ms, m.stations * d.service_due_ms, m.stations * d.usable_ms
    FROM (SELECT path, share, count(*) AS stations FROM day_member WHERE until IS NULL AND since <= $1 GROUP BY path, share) AS m
    JOIN share_day d ON d.share = m.share AND d.day = $1
) AS own WHERE cardinality(path) > 0 GROUP BY path;

-- name: kept_days
-- What is kept of stations ($1) in its newest revision, of the days $2 to $3.
SELECT station, day, revision, path, scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms
FROM station_day WHERE station = ANY ($1) AND day BETWEEN $2 AND $3;

-- name: add_differences
-- What revisions add to the sums of areas.
INSERT INTO area_day (day, area, path, scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms)
SELECT day, split_part(path, '/', -1), string_to_array(path, '/'), s, e, u, o, k, b
FROM unnest($1::date[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
    AS n (day, path, s, e, u, o, k, b)
ON CONFLICT (day, path) DO UPDATE SET
    scheduled_ms = area_day.scheduled_ms + excluded.scheduled_ms, excused_ms = area_day.excused_ms + excluded.excused_ms,
    unknown_ms = area_day.unknown_ms + excluded.unknown_ms, online_ms = area_day.online_ms + excluded.online_ms,
    service_due_ms = area_day.service_due_ms + excluded.service_due_ms, usable_ms = area_day.usable_ms + excluded.usable_ms;

-- name: frozen_months
SELECT month FROM month_frozen;

-- name: freeze
-- The figures of a month stand ($1: its first day, $2: that of the next one).
WITH frozen AS (
    INSERT INTO month_frozen (month, frozen_at, cut) VALUES ($1, $3, $4) ON CONFLICT DO NOTHING RETURNING month
)
INSERT INTO area_month (month, area, path, scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms)
SELECT f.month, a.area, a.path, sum(scheduled_ms), sum(excused_ms), sum(unknown_ms), sum(online_ms), sum(service_due_ms), sum(usable_ms)
FROM frozen f JOIN area_day a ON a.day >= $1 AND a.day < $2 GROUP BY f.month, a.area, a.path;

-- name: clocks
-- How far the pipeline clocks are, and when gaps began that go on.
SELECT held(min(tick_at)) AS clock, coalesce(array_agg(held(blind_since)) FILTER (WHERE blind_since IS NOT NULL), '{}') AS gaps
FROM partition_clock;

-- name: zones
-- The zones of schedules, each found by the index.
WITH RECURSIVE found AS (
    SELECT min(timezone) AS zone FROM schedule
    UNION ALL SELECT (SELECT min(timezone) FROM schedule WHERE timezone > f.zone) FROM found f WHERE f.zone IS NOT NULL
)
SELECT zone FROM found WHERE zone IS NOT NULL;

-- name: stations_of_days
-- Stations with kept days from $1 to $2, all or those that were in an area or below it ($3), in their order, after $4.
SELECT station FROM (
    SELECT station FROM day_figure WHERE day BETWEEN $1 AND $2 AND ($3::text IS NULL OR $3 = ANY (path)) AND station > $4
    UNION
    SELECT station FROM day_member
    WHERE since <= $2 AND (until IS NULL OR until > $1) AND ($3::text IS NULL OR $3 = ANY (path)) AND station > $4
) AS s ORDER BY station LIMIT $5;

-- name: add_missing_sums
-- Write the sums of areas that do not exist, of the days $1 to $2, as the sums of their stations.
INSERT INTO area_day (day, area, path, scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms)
SELECT s.day, s.path[cardinality(s.path)], s.path, sum(s.scheduled_ms), sum(s.excused_ms), sum(s.unknown_ms), sum(s.online_ms),
       sum(s.service_due_ms), sum(s.usable_ms)
FROM station_day s
WHERE s.day BETWEEN $1 AND $2 AND cardinality(s.path) > 0 AND ($3::text IS NULL OR $3 = ANY (s.path))
  AND NOT EXISTS (SELECT FROM area_day a WHERE a.day = s.day AND a.path = s.path)
GROUP BY s.day, s.path
RETURNING day, path;

-- name: wrong_sums
-- Sums of areas that are not those of their stations.
SELECT coalesce(a.day, s.day) AS day, coalesce(a.path, s.path) AS path
FROM (SELECT * FROM area_day WHERE day BETWEEN $1 AND $2 AND ($3::text IS NULL OR $3 = ANY (path))) AS a
FULL JOIN (
    SELECT day, path, sum(scheduled_ms)::bigint AS scheduled_ms, sum(excused_ms)::bigint AS excused_ms,
           sum(unknown_ms)::bigint AS unknown_ms, sum(online_ms)::bigint AS online_ms,
           sum(service_due_ms)::bigint AS service_due_ms, sum(usable_ms)::bigint AS usable_ms
    FROM station_day
    WHERE day BETWEEN $1 AND $2 AND cardinality(path) > 0 AND ($3::text IS NULL OR $3 = ANY (path)) GROUP BY day, path
) AS s ON s.day = a.day AND s.path = a.path
WHERE (coalesce(a.scheduled_ms, 0), coalesce(a.excused_ms, 0), coalesce(a.unknown_ms, 0), coalesce(a.online_ms, 0),
       coalesce(a.service_due_ms, 0), coalesce(a.usable_ms, 0))
    <> (coalesce(s.scheduled_ms, 0), coalesce(s.excused_ms, 0), coalesce(s.unknown_ms, 0), coalesce(s.online_ms, 0),
        coalesce(s.service_due_ms, 0), coalesce(s.usable_ms, 0));

-- name: add_figures
-- Revisions of days. By INSERT, because COPY is refused where there are policies.
INSERT INTO day_figure (station, day, revision, path, scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms,
                        causes, addendum, cut)
SELECT station, day, revision, string_to_array(path, '/'), s, e, u, o, k, b, string_to_array(causes, ' '), addendum, $13
FROM unnest($1::text[], $2::date[], $3::int[], $4::text[], $5::int[], $6::int[], $7::int[], $8::int[], $9::int[], $10::int[],
            $11::text[], $12::bool[]) AS n (station, day, revision, path, s, e, u, o, k, b, causes, addendum);

-- name: wake_all
-- At the beginning every station is computed by itself.
INSERT INTO day_wake (station, until) SELECT DISTINCT subject, held('-infinity') FROM registry_fact WHERE kind = 'station'
ON CONFLICT DO NOTHING;
