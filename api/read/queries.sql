-- name: clocks
-- All pipeline clocks.
SELECT partition, shard, clock, tick_at, judged_at, blind_since FROM partition_clock ORDER BY shard, partition;

-- name: calendars_now
SELECT calendar, open, changed_at, changes_at FROM calendar_now;

-- name: closures_now
-- Closures in force: declared and not withdrawn. Only approved ones excuse. $1, $2, $3: those of some stations, areas and
-- programmes; NULL: all.
SELECT id, held(from_at) AS from_at, approved_at IS NOT NULL AS approved, station, area, programme FROM closure
WHERE withdrawn_at IS NULL AND from_at <= now() AND until_at > now()
  AND ($1::text[] IS NULL OR station = ANY ($1) OR area = ANY ($2::text[]) OR programme = ANY ($3::text[]));

-- name: now
-- The time of this snapshot.
SELECT now();

-- name: list_stations
-- A page by id. A rare verdict is found without making a document of every station: the rule is that of migration 0026; the
-- conditions before it change no result, and exclude most stations at less cost. $2: partitions with only sound clocks;
-- $3, $4: the sound (partition, shard) of the others, for which the shard last heard through is looked up. The areas are given as the
-- codes of all in them ($5), by which the planner sees how few they are, or, if they are many, by their own ($6). Where no area is
-- asked for, they are those of the scope, which the policy of station asks too, but the planner cannot see.
-- $9: part of an id or name. $10: calendars that are shut; $11, $12, $13: stations, areas, programmes that are excused.
-- $14: retired ones only, or none of them. $15: the ids among which all results are; NULL: not known.
SELECT s.id, s.name, s.area, s.lifecycle, s.quorum, s.calendar, st.partition, st.shard, st.state, held(st.since) AS since, st.usable,
       (SELECT path FROM area a WHERE a.code = s.area) AS path,
       ARRAY(SELECT programme FROM station_programme sp WHERE sp.station = s.id) AS programmes,
       EXISTS (SELECT FROM incident i WHERE i.key = 'flapping:' || s.id
              AND (i.status <> 'closed' OR i.reopen_at IS NOT NULL)) AS flapping
FROM station s LEFT JOIN station_stand st ON st.station = s.id
LEFT JOIN (SELECT unnest($11::text[]) AS station
           UNION SELECT station FROM station_programme WHERE programme = ANY ($13::text[])) AS excuse
       ON excuse.station = s.id
WHERE s.id > $1
  AND ($5::text[] IS NULL OR s.area = ANY ($5))
  AND ($6::text[] IS NULL OR s.area IN (SELECT code FROM areas_below($6) AS code))
  AND ($7::text IS DISTINCT FROM 'suspended' OR s.lifecycle <> 'commissioned')
  AND ($7::text IS NULL OR $7 NOT IN ('online', 'away', 'offline') OR st.state = $7)
  AND ($7::text IS DISTINCT FROM 'unusable' OR (st.state = 'online' AND NOT st.usable))
  AND ($7::text IS NULL OR $7 NOT IN ('closed', 'excused') OR st.state IN ('away', 'offline'))
  AND ($7::text IS NULL OR $7 NOT IN ('away', 'offline', 'excused') OR (s.calendar = ANY ($10::bigint[])) IS NOT TRUE)
  AND ($7::text IS DISTINCT FROM 'excused' OR excuse.station IS NOT NULL
       OR s.area IN (SELECT code FROM areas_below($12::text[]) AS code))
  AND ($7::text IS DISTINCT FROM 'unknown' OR st.partition <> ALL ($2::int[])
       OR st.state NOT IN ('never_seen', 'online', 'away', 'offline'))
  AND ($7::text IS NULL OR $7 = verdict_by(verdict_reason(
        s.lifecycle, st.state,
        CASE WHEN st.partition <> ALL ($2::int[]) AND NOT EXISTS (
            SELECT FROM unnest($3::int[], $4::text[]) AS sound (partition, shard)
            WHERE sound.partition = st.partition AND sound.shard = coalesce(st.shard, (
                SELECT t.shard FROM terminal_state t WHERE t.station = s.id
                ORDER BY t.seen_at DESC NULLS LAST, t.terminal LIMIT 1))) THEN 'clock_missing' END,
        s.calendar = ANY ($10::bigint[]),
        excuse.station IS NOT NULL OR s.area IN (SELECT code FROM areas_below($12::text[]) AS code)),
        st.state, st.usable))
  AND ($14::boolean IS NULL OR (s.lifecycle = 'retired') = $14)
  AND ($15::text[] IS NULL OR s.id = ANY ($15))
  AND ($9::text IS NULL OR strpos(lower(concat_ws(' ', s.id, s.name, s.name_en, s.name_bo)), lower($9)) > 0)
ORDER BY s.id LIMIT $8;

-- name: maybe_unknown
-- Stations after $1, at most $3, among which are all with the verdict `unknown`; $2: partitions with only sound clocks.
SELECT station FROM (
    SELECT station FROM station_state
    WHERE partition <> ALL ($2::int[]) OR state NOT IN ('never_seen', 'online', 'away', 'offline')
    UNION SELECT station FROM suspicion_member WHERE ended_at IS NULL
    UNION SELECT station FROM station_aside) AS found
WHERE station > $1 ORDER BY station LIMIT $3;

-- name: asked_areas
-- The areas that a list is about: those asked for ($1), else those of the scope; NULL: all there are.
SELECT CASE WHEN $1::text[] IS NOT NULL THEN $1 WHEN scope_is_whole() THEN NULL ELSE ARRAY(SELECT scope_tops()) END;

-- name: subtree
-- The codes in the scope of some areas and of all below them, at most $2.
SELECT code FROM areas_below($1::text[]) AS code LIMIT $2;

-- name: get_stations
-- Some stations in the columns of list_stations.
SELECT s.id, s.name, s.area, s.lifecycle, s.quorum, s.calendar, st.partition, st.shard, st.state, held(st.since) AS since, st.usable,
       (SELECT path FROM area a WHERE a.code = s.area) AS path,
       ARRAY(SELECT programme FROM station_programme sp WHERE sp.station = s.id) AS programmes,
       EXISTS (SELECT FROM incident i WHERE i.key = 'flapping:' || s.id
              AND (i.status <> 'closed' OR i.reopen_at IS NOT NULL)) AS flapping
FROM station s LEFT JOIN station_stand st ON st.station = s.id
WHERE s.id = ANY ($1::text[]) ORDER BY s.id;

-- name: list_terminals
-- The registered terminals of some stations with what was heard of them, at most $2; the state of
-- a terminal that a judge has set aside is not known.
SELECT t.station, t.id, t.type, t.counts, held(t.installed_at) AS installed_at, t.refresh_due,
       ts.partition, ts.shard, CASE WHEN aside.subject IS NULL THEN ts.state ELSE 'unproven' END AS state,
       held(ts.since) AS since, held(ts.seen_at) AS seen_at, ts.usable, ts.users, ts.every, ts.deadline
FROM terminal t LEFT JOIN terminal_state ts ON ts.station = t.station AND ts.terminal = t.id
LEFT JOIN set_aside aside ON aside.service = 'judge' AND aside.kind = 'terminal'
      AND aside.subject = ts.partition || '/' || ts.station || '/' || ts.terminal
WHERE t.station = ANY ($1::text[])
ORDER BY t.station, t.id LIMIT $2;

-- name: survey_stations
-- All stations but the retired by verdict, and those with coordinates by where they are: on a grid of 1/$8 of the space they
-- take, or 1/$9 when they are more than $10; of areas ($11), or of all. However many there are, the answer stays as small as a picture. $1 to $7 as in
-- count_nowhere. A station that is alone in its place, lifecycle and state is named.
WITH bounds AS MATERIALIZED (
    SELECT min(lat) AS south, min(lon) AS west,
           greatest(max(lat) - min(lat), max(lon) - min(lon), 0.000001)
               / CASE WHEN count(*) <= $10::bigint THEN $8::float8 ELSE $9::float8 END AS step
    FROM station WHERE lat IS NOT NULL AND lon IS NOT NULL AND lifecycle <> 'retired'
      AND ($11::text[] IS NULL OR area = ANY ($11))
), found AS MATERIALIZED (
    SELECT floor((s.lat - b.south) / b.step)::int AS row, floor((s.lon - b.west) / b.step)::int AS col,
           s.lifecycle, s.state, s.verdict, count(*) AS stations, avg(s.lat) AS lat, avg(s.lon) AS lon, min(s.id) AS id
    FROM stations_now($1, $2, $3, $4, $5, $6, $7) AS s CROSS JOIN bounds b
    WHERE s.lifecycle <> 'retired' AND ($11::text[] IS NULL OR s.area = ANY ($11))
    GROUP BY 1, 2, 3, 4, 5
)
SELECT f.*, alone.name, alone.name_en
FROM found f LEFT JOIN LATERAL (
    SELECT s.name, s.name_en FROM station s WHERE f.stations = 1 AND s.id = f.id LIMIT 1) AS alone ON true;

-- name: list_roots
-- The areas of the scope that lie in no other of it.
SELECT code, name, name_en, name_bo, level FROM area WHERE code IN (SELECT code FROM scope_tops() AS code) ORDER BY code LIMIT $1;

-- name: count_nowhere
-- The stations without an area, which no area counts, by verdict. $1 to $7: what verdicts depend on beside the stations, as
-- stations_now has it. A retired station is in no count.
SELECT verdict, count(*) AS stations FROM stations_now($1, $2, $3, $4, $5, $6, $7)
WHERE area IS NULL AND lifecycle <> 'retired' GROUP BY verdict;

-- name: count_roots
-- The same of all stations that lie in an area of the scope, by the area that lies in no other of it ($8: all of these).
SELECT a.root, s.verdict, count(*) AS stations
FROM (SELECT top.code AS root, below.code FROM unnest($8::text[]) AS top (code)
      CROSS JOIN LATERAL areas_below(ARRAY[top.code]) AS below (code)) AS a
JOIN stations_now($1, $2, $3, $4, $5, $6, $7) AS s ON s.area = a.code AND s.lifecycle <> 'retired'
GROUP BY 1, 2;

-- name: count_area
-- The same for the subtree of an area ($8), by the child of it that they are under (null: directly in the area); $9 is the
-- area's depth, $10 the codes of its subtree, or NULL if they are many.
WITH tree AS MATERIALIZED (
    SELECT a.code, a.path[$9::int + 1] AS child FROM areas_below(ARRAY[$8::text]) AS below (code) JOIN area a ON a.code = below.code)
SELECT tree.child, s.verdict, count(*) AS stations
FROM tree JOIN stations_now($1, $2, $3, $4, $5, $6, $7) AS s ON s.area = tree.code AND s.lifecycle <> 'retired'
WHERE $10::text[] IS NULL OR s.area = ANY ($10)
GROUP BY 1, 2;

-- name: find_area
-- The code as given before the padded one. Of an area above the scope only its name is shown.
SELECT code, name, name_en, name_bo, level, parent, cardinality(path) AS depth,
       code IN (SELECT code FROM areas_below($1::text[]) AS code) AS in_scope
FROM area WHERE code = ANY ($1::text[])
ORDER BY array_position($1::text[], code) LIMIT 1;

-- name: list_children
SELECT code, name, name_en, name_bo, level FROM area WHERE parent = $1 ORDER BY code LIMIT $2;

-- name: list_blind_spots
-- Open blind spots, newest first, before the one numbered $1, of subtrees ($2: codes) whether they name an area or a
-- station of it, of a kind ($3).
SELECT i.id, i.kind, coalesce(i.area, s.area) AS area, i.station, i.status, i.began_at, i.detail
FROM incident i LEFT JOIN station s ON s.id = i.station
WHERE i.kind = 'blind_spot' AND i.status <> 'closed'
  AND i.id < $1
  AND ($2::text[] IS NULL OR coalesce(i.area, s.area) IN (SELECT code FROM areas_below($2) AS code))
  AND ($3::text IS NULL OR i.detail ->> 'kind' = $3)
ORDER BY i.id DESC LIMIT $4;

-- name: counts_told_at
-- When the incident process last confirmed that the counts of areas are current. No row while a station is set aside: the
-- process counts it by its state before.
SELECT told_at FROM area_count_known WHERE NOT EXISTS (SELECT FROM station_aside);

-- name: kept_counts
SELECT area, online, unusable, offline, away, unknown, closed, excused, never_seen, suspended FROM area_count
WHERE area = ANY ($1::text[]);

-- name: kept_roots
-- The same of the areas of the scope that lie in no other of it.
SELECT c.area, c.online, c.unusable, c.offline, c.away, c.unknown, c.closed, c.excused, c.never_seen, c.suspended
FROM area_count c WHERE c.area IN (SELECT code FROM scope_tops() AS code);

-- name: calendar_definition
SELECT definition FROM calendar WHERE id = $1;

-- name: station_closures
-- Closures of a station ($1), its areas ($2) and its programmes ($3) that touch the window ($4, $5), as long as each held:
-- one that was withdrawn before it ended holds until then, and one withdrawn before it began never held.
SELECT id, kind, held(from_at) AS begin, held(ends_at) AS end, reason, approved_at IS NOT NULL AS approved
FROM (SELECT *, CASE WHEN withdrawn_at IS NULL OR withdrawn_at >= until_at THEN until_at
                     ELSE greatest(withdrawn_at, from_at) END AS ends_at FROM closure) AS closure
WHERE (station = $1 OR area = ANY ($2::text[]) OR programme = ANY ($3::text[]))
  AND from_at < $5 AND ends_at > $4 AND from_at < ends_at
ORDER BY from_at, id LIMIT $6;

-- name: list_closures
-- Closures, newest first, before number $1, in subtrees ($2: codes) whether they name an area or a station of it; of a
-- station ($3) also those of its areas and programmes; of a status ($4).
SELECT c.id, c.kind, c.station, c.area, c.programme, held(c.from_at) AS from_at,
       held(c.until_at) AS until_at, c.reason, c.declared_by, c.declared_remark, c.declared_at,
       c.approved_by, c.approved_remark, c.approved_at, c.evidence, c.withdrawn_by, c.withdrawn_remark, c.withdrawn_at
FROM closure c LEFT JOIN station s ON s.id = c.station
WHERE c.id < $1
  AND ($2::text[] IS NULL OR coalesce(c.area, s.area) IN (SELECT code FROM areas_below($2) AS code))
  AND ($3::text IS NULL OR c.station = $3
       OR c.area IN (SELECT unnest(a.path) FROM station t JOIN area a ON a.code = t.area WHERE t.id = $3)
       OR c.programme IN (SELECT programme FROM station_programme WHERE station = $3))
  AND ($4::text IS NULL OR $4 = CASE WHEN c.withdrawn_at IS NOT NULL THEN 'withdrawn'
                                     WHEN c.approved_at IS NOT NULL THEN 'approved' ELSE 'declared' END)
ORDER BY c.id DESC LIMIT $5;

-- name: list_silences
-- Silences, newest first, before number $1, in subtrees ($2: codes) whether they name an area or a station of it; of a
-- station ($3) also those of its areas and of everything; of a status ($4).
SELECT c.id, c.station, c.area, c.kinds, c.from_at, c.until_at, c.reason, c.made_by, c.made_at, c.ended_at, c.ended_by
FROM silence c LEFT JOIN station s ON s.id = c.station
WHERE c.id < $1
  AND ($2::text[] IS NULL OR coalesce(c.area, s.area) IN (SELECT code FROM areas_below($2) AS code))
  AND ($3::text IS NULL OR c.station = $3 OR c.station IS NULL AND c.area IS NULL
       OR c.area IN (SELECT unnest(a.path) FROM station t JOIN area a ON a.code = t.area WHERE t.id = $3))
  AND ($4::text IS NULL OR $4 = CASE WHEN c.ended_at IS NOT NULL OR c.until_at <= now() THEN 'over'
                                     WHEN c.from_at > now() THEN 'planned' ELSE 'current' END)
ORDER BY c.id DESC LIMIT $5;

-- name: list_contacts
-- Contacts in the order of their ids after $1, in subtrees ($2: codes); $3: retired ones too.
SELECT c.id, c.name, c.role, c.area, c.language, c.room, c.quiet, c.account,
       coalesce(c.retired_at, c.muted_at) AS retired_at, c.retired_at IS NULL AND c.muted_at IS NOT NULL AS muted,
       array(SELECT kind FROM contact_channel h WHERE h.contact = c.id ORDER BY h.place) AS kinds,
       array(SELECT fingerprint FROM contact_channel h WHERE h.contact = c.id ORDER BY h.place) AS fingerprints
FROM contact c
WHERE c.id > $1 AND ($3 OR c.retired_at IS NULL)
  AND ($2::text[] IS NULL OR c.area IN (SELECT code FROM areas_below($2) AS code))
ORDER BY c.id LIMIT $4;

-- name: silences_here
-- Silences in force of a station ($1; null: of none), of an area ($2) and those above it, or of everything; the last to end
-- comes first.
SELECT id, station, area, kinds, from_at, until_at, reason, made_by, made_at, ended_at, ended_by FROM silence
WHERE ended_at IS NULL AND until_at > now() AND from_at <= now()
  AND (station = $1 OR area IN (SELECT unnest(path) FROM area WHERE code = $2) OR station IS NULL AND area IS NULL)
ORDER BY until_at DESC, id LIMIT $3;

-- name: may_end_silence
-- Whether a silence that is seen lies in the scope; one above it is seen only.
SELECT (SELECT scope_is_whole()) OR station IS NOT NULL OR coalesce(area IN (SELECT code FROM scope_areas() AS code), false)
FROM silence WHERE id = $1;

-- name: list_routes
-- Routes in the order of their ids after $1, in subtrees ($2: codes).
SELECT id, name, area, kinds, severities, programme, station_kind, steps, tell_past FROM route
WHERE id COLLATE "C" > $1 AND ($2::text[] IS NULL OR area IN (SELECT code FROM areas_below($2) AS code))
ORDER BY id COLLATE "C" LIMIT $3;

-- name: may_edit_route
-- Whether a route that is seen lies in the scope; one above it is seen only.
SELECT (SELECT scope_is_whole()) OR coalesce(area IN (SELECT code FROM scope_areas() AS code), false)
FROM route WHERE id = $1;

-- name: area_paths
-- All areas that are seen, with their paths and names.
SELECT code, level, path, name, name_en FROM area;

-- name: list_duties
-- Duties, newest first, before number $1, in subtrees ($2: codes), of a role ($3) and a contact ($4).
SELECT id, area, role, contact, times, weeks, week, valid_from, valid_to FROM duty
WHERE id < $1 AND ($2::text[] IS NULL OR area IN (SELECT code FROM areas_below($2) AS code))
  AND ($3::text IS NULL OR role = $3) AND ($4::text IS NULL OR contact = $4)
ORDER BY id DESC LIMIT $5;

-- name: list_substitutes
-- Substitutes, newest first, before number $1, that stand in for a contact or are one ($2); without those that are over, unless
-- they are asked for ($3).
SELECT id, contact, substitute, from_at, until_at, reason FROM duty_substitute
WHERE id < $1 AND ($2::text IS NULL OR contact = $2 OR substitute = $2) AND ($3 OR until_at > now())
ORDER BY id DESC LIMIT $4;

-- name: areas_in_subtrees
-- The codes of areas and all below them.
SELECT code FROM areas_below($1) AS code;

-- name: station_lifecycles
-- The changes of a station's lifecycle, oldest first.
SELECT at, before, after, actor, remark, reason FROM station_lifecycle WHERE station = $1 ORDER BY at, id;

-- name: station_shards
-- The shards through which a station was heard between $3 and $2, each with its times and with the partition of the station's
-- transitions; at most $4. The moves of a terminal give the times from its first recorded move on. A shard from before that
-- move counts until it, and each shard of a terminal without recorded moves counts always.
WITH moved AS (
    SELECT terminal, partition, before, after, at,
           lag(at) OVER (PARTITION BY terminal ORDER BY seq) AS earlier,
           lead(at) OVER (PARTITION BY terminal ORDER BY seq) AS later
    FROM shard_move WHERE station = $1
), first AS (
    SELECT terminal, at FROM moved WHERE earlier IS NULL
), changed AS (
    SELECT terminal, shard, partition, at FROM transition WHERE station = $1 AND at < $2
), heard AS (
    SELECT t.shard, t.partition, held('-infinity') AS since, held('infinity') AS until
    FROM terminal_state t WHERE t.station = $1 AND NOT EXISTS (SELECT FROM first WHERE first.terminal = t.terminal)
    UNION ALL
    SELECT c.shard, c.partition, held('-infinity'), coalesce(first.at, held('infinity'))
    FROM changed c LEFT JOIN first USING (terminal)
    WHERE c.terminal IS NOT NULL AND (first.at IS NULL OR c.at < first.at)
    UNION ALL
    SELECT before, partition, held('-infinity'), at FROM moved WHERE earlier IS NULL
    UNION ALL
    SELECT after, partition, at, coalesce(later, held('infinity')) FROM moved WHERE at < $2
    UNION ALL
    -- The transitions of the station itself count only if no terminal has moves: their shard is that of a terminal.
    SELECT c.shard, c.partition, held('-infinity'), held('infinity') FROM changed c
    WHERE c.terminal IS NULL AND NOT EXISTS (SELECT FROM moved)
)
SELECT DISTINCT shard, partition, held(since) AS since, held(until) AS until FROM heard WHERE until > $3 LIMIT $4;

-- name: station_changes
-- The last decision that was in force at $2, and all decided after it that begin before $3.
SELECT seq, held(at) AS at, after, usable FROM transition
WHERE station = $1 AND terminal IS NULL AND at < $3 AND seq >= coalesce((
    SELECT max(seq) FROM transition WHERE station = $1 AND terminal IS NULL AND at <= $2), 0)
ORDER BY seq LIMIT $4;

-- name: station_gaps
-- Gaps of the pipeline that touch the window ($5, $6), of each (partition, shard) as far as they lie between its two times.
SELECT DISTINCT greatest(g.began_at, heard.since) AS began_at, least(g.ended_at, heard.until) AS ended_at
FROM pipeline_gap g
JOIN unnest($1::int[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS heard (partition, shard, since, until)
  ON g.partition = heard.partition AND g.shard = heard.shard
WHERE g.began_at < $6 AND g.ended_at > $5 AND g.began_at < heard.until AND g.ended_at > heard.since
ORDER BY began_at LIMIT $7;

-- name: station_suspicions
-- When a station was unknown because its shard was suspected, of the window ($2, $3).
SELECT missed_at AS began_at, ended_at FROM suspicion_member
WHERE station = $1 AND missed_at < $3 AND (ended_at > $2 OR ended_at IS NULL)
ORDER BY missed_at LIMIT $4;

-- name: station_presence
-- What counting terminals recorded about the window while their link was down. A record without a sure time or
-- an end proves nothing. `ts` is bounded below only by what a record may span; the index does the rest.
SELECT p.ts, p.until, p.usable, p.received_at
FROM presence p LEFT JOIN terminal t ON t.station = p.station AND t.id = p.terminal
WHERE p.station = $1 AND p.ts < $3 AND p.until > $2 AND p.time_source <> 'unknown' AND t.counts IS NOT FALSE
ORDER BY p.ts LIMIT $4;

-- name: list_health
-- float4 goes through text, so that 0.1 stays 0.1.
SELECT ts, terminal, box, id, received_at, time_source, up,
       cpu::text::float8 AS cpu, mem::text::float8 AS mem, disk::text::float8 AS disk, temp::text::float8 AS temp,
       rtt_ms::text::float8 AS rtt_ms, rx, tx, wifi, services
FROM health
WHERE station = $1 AND ts >= $2 AND ts < $3 AND (ts, terminal, box, id) < ($4, $5, $6, $7)
ORDER BY ts DESC, terminal DESC, box DESC, id DESC LIMIT $8;

-- name: list_usage
SELECT ts, until, terminal, box, id, sessions, minutes
FROM usage
WHERE station = $1 AND ts >= $2 AND ts < $3 AND (ts, terminal, box, id) < ($4, $5, $6, $7)
ORDER BY ts DESC, terminal DESC, box DESC, id DESC LIMIT $8;

-- name: total_usage
-- Totals of the whole window, of all pages. Exact, also beyond 64 bits, so that one wrong record does not make it fail.
SELECT coalesce(sum(sessions), 0) AS sessions, coalesce(sum(minutes), 0)::float8 AS minutes
FROM usage WHERE station = $1 AND ts >= $2 AND ts < $3;

-- name: health_by_hour
-- Kept figures of the terminals of a station; a mean is a sum divided by its count.
SELECT began_at, terminal, samples, (cpu_sum / nullif(cpu_count, 0))::float8 AS cpu, cpu_max::text::float8 AS cpu_max,
       (mem_sum / nullif(mem_count, 0))::float8 AS mem, mem_max::text::float8 AS mem_max,
       (disk_sum / nullif(disk_count, 0))::float8 AS disk, disk_max::text::float8 AS disk_max,
       (temp_sum / nullif(temp_count, 0))::float8 AS temp, temp_max::text::float8 AS temp_max,
       (rtt_ms_sum / nullif(rtt_ms_count, 0))::float8 AS rtt_ms, rtt_ms_max::text::float8 AS rtt_ms_max
FROM health_hour WHERE station = $1 AND began_at >= $2 AND began_at < $3 ORDER BY began_at, terminal LIMIT $4;

-- name: health_by_day
-- The same by day (UTC).
SELECT began_at, terminal, samples, (cpu_sum / nullif(cpu_count, 0))::float8 AS cpu, cpu_max::text::float8 AS cpu_max,
       (mem_sum / nullif(mem_count, 0))::float8 AS mem, mem_max::text::float8 AS mem_max,
       (disk_sum / nullif(disk_count, 0))::float8 AS disk, disk_max::text::float8 AS disk_max,
       (temp_sum / nullif(temp_count, 0))::float8 AS temp, temp_max::text::float8 AS temp_max,
       (rtt_ms_sum / nullif(rtt_ms_count, 0))::float8 AS rtt_ms, rtt_ms_max::text::float8 AS rtt_ms_max
FROM health_day WHERE station = $1 AND began_at >= $2 AND began_at < $3 ORDER BY began_at, terminal LIMIT $4;

-- name: usage_by_hour
-- The same of use.
SELECT began_at, terminal, samples, sessions, minutes::float8 AS minutes
FROM usage_hour WHERE station = $1 AND began_at >= $2 AND began_at < $3 ORDER BY began_at, terminal LIMIT $4;

-- name: usage_by_day
-- The same by day (UTC).
SELECT began_at, terminal, samples, sessions, minutes::float8 AS minutes
FROM usage_day WHERE station = $1 AND began_at >= $2 AND began_at < $3 ORDER BY began_at, terminal LIMIT $4;

-- name: list_incidents
-- Newest first. An incident of a station belongs to the station's area unless it names one itself; an incident that reaches
-- beyond the scope belongs to the areas of its shares in it. $7: of a parent; $8: only incidents that are neither part of
-- another incident that the scope shows, nor quiet (without notifications).
WITH found AS (
    (SELECT i.id, i.kind, i.station, coalesce(i.area, s.area) AS area, i.shard, i.status, i.began_at, i.opened_at,
            i.acknowledged_at, i.acknowledged_by, i.acknowledged_remark, i.eta_at, i.assignee, i.closed_at, i.ended_at, i.reopen_at,
            i.parent, i.detail, NULL::text AS share_area, NULL::int AS share_children, NULL::int AS share_down
     FROM incident i LEFT JOIN station s ON s.id = i.station
     WHERE i.id < $1
       AND ($2::text IS NULL OR i.status = $2)
       AND ($3::text IS NULL OR i.kind = $3)
       AND ($4::text[] IS NULL OR coalesce(i.area, s.area) IN (SELECT code FROM areas_below($4) AS code))
       AND ($6::text IS NULL OR i.station = $6)
       AND ($7::bigint IS NULL OR i.parent = $7)
       AND (NOT $8::boolean OR (i.detail -> 'quiet') IS DISTINCT FROM 'true'
                               AND (i.parent IS NULL OR NOT (SELECT scope_is_whole())
                                    AND NOT EXISTS (SELECT FROM incident p WHERE p.id = i.parent)
                                    AND NOT EXISTS (SELECT FROM incident_share x WHERE x.incident = i.parent
                                                    AND x.area = share_area(i.area))))
     ORDER BY i.id DESC LIMIT $5)
    UNION ALL
    (SELECT i.id, i.kind, NULL, i.area, NULL, i.status, i.began_at, i.opened_at, i.acknowledged_at, i.acknowledged_by,
            i.acknowledged_remark, i.eta_at, i.assignee, i.closed_at, i.ended_at, i.reopen_at, i.parent, i.detail, i.share, i.children, i.down
     FROM scoped.shared_incident i
     WHERE i.id < $1
       AND ($2::text IS NULL OR i.status = $2)
       AND ($3::text IS NULL OR i.kind = $3)
       AND ($4::text[] IS NULL OR i.id IN (SELECT s.incident FROM scoped.seen_share s
                                           WHERE s.area IN (SELECT code FROM areas_below($4) AS code)))
       AND $6::text IS NULL
       AND ($7::bigint IS NULL OR i.parent = $7)
       AND (NOT $8::boolean OR (i.parent IS NULL AND (i.detail -> 'quiet') IS DISTINCT FROM 'true'))
     ORDER BY i.id DESC LIMIT $5)
), page AS MATERIALIZED (SELECT * FROM found ORDER BY id DESC LIMIT $5)
SELECT f.id, f.kind, f.station, f.area, f.shard, f.status, f.began_at, f.opened_at, f.acknowledged_at, f.acknowledged_by,
       f.acknowledged_remark, f.eta_at, f.assignee, f.closed_at, f.ended_at, f.reopen_at,
       CASE WHEN f.share_children IS NOT NULL OR (SELECT scope_is_whole()) THEN f.parent
            ELSE coalesce((SELECT p.id FROM incident p WHERE p.id = f.parent),
                          (SELECT x.incident FROM incident_share x
                           WHERE x.incident = f.parent AND x.area = share_area(f.area))) END AS parent,
       f.detail, f.share_area, f.share_children, f.share_down,
       ARRAY(SELECT c.id FROM incident c WHERE c.parent = f.id ORDER BY c.id LIMIT 1000) AS children
FROM page f ORDER BY f.id DESC;

-- name: get_incident
-- One incident in the columns of list_incidents.
WITH found AS (
    SELECT i.id, i.kind, i.station, coalesce(i.area, s.area) AS area, i.shard, i.status, i.began_at, i.opened_at,
           i.acknowledged_at, i.acknowledged_by, i.acknowledged_remark, i.eta_at, i.assignee, i.closed_at, i.ended_at, i.reopen_at,
           i.parent, i.detail, NULL::text AS share_area, NULL::int AS share_children, NULL::int AS share_down
    FROM incident i LEFT JOIN station s ON s.id = i.station WHERE i.id = $1
    UNION ALL
    SELECT i.id, i.kind, NULL, i.area, NULL, i.status, i.began_at, i.opened_at, i.acknowledged_at, i.acknowledged_by,
           i.acknowledged_remark, i.eta_at, i.assignee, i.closed_at, i.ended_at, i.reopen_at, i.parent, i.detail, i.share, i.children, i.down
    FROM scoped.shared_incident i WHERE i.id = $1
)
SELECT f.id, f.kind, f.station, f.area, f.shard, f.status, f.began_at, f.opened_at, f.acknowledged_at, f.acknowledged_by,
       f.acknowledged_remark, f.eta_at, f.assignee, f.closed_at, f.ended_at, f.reopen_at,
       CASE WHEN f.share_children IS NOT NULL OR (SELECT scope_is_whole()) THEN f.parent
            ELSE coalesce((SELECT p.id FROM incident p WHERE p.id = f.parent),
                          (SELECT x.incident FROM incident_share x
                           WHERE x.incident = f.parent AND x.area = share_area(f.area))) END AS parent,
       f.detail, f.share_area, f.share_children, f.share_down,
       ARRAY(SELECT c.id FROM incident c WHERE c.parent = f.id ORDER BY c.id LIMIT 1000) AS children
FROM found f;

-- name: list_shares
-- The shares of an incident, as far as they lie in the scope; those with most down first, at most $2.
SELECT area, children, down, acknowledged_at, acknowledged_by, acknowledged_remark, eta_at, assignee FROM scoped.seen_share
WHERE incident = $1 AND children > 0 ORDER BY down DESC, children DESC, area LIMIT $2;

-- name: list_entries
-- What happened to an incident, or to its shares in the scope; the newest are kept when there are more than the page takes.
SELECT id, at, actor, remark, action, text, share FROM incident_entry WHERE incident = $1
UNION ALL
SELECT id, at, actor, remark, action, text, share FROM scoped.shared_entry WHERE incident = $1
ORDER BY id DESC LIMIT $2;

-- name: unstable_shards
-- Shards with an incident about recurring gaps.
SELECT shard FROM incident
WHERE kind = 'pipeline_blind' AND (status <> 'closed' OR reopen_at IS NOT NULL) AND detail ->> 'reason' = 'unstable'
  AND shard IS NOT NULL;

-- name: latest_gaps
-- The gaps that ended since $1, of every shard, as far as they lie after it; those of more than a day are left out.
SELECT c.shard, greatest(g.began_at, $1) AS began_at, g.ended_at
FROM partition_clock c
CROSS JOIN LATERAL (
    SELECT began_at, ended_at FROM pipeline_gap g
    WHERE g.partition = c.partition AND g.shard = c.shard AND g.began_at > $1::timestamptz - interval '1 day' AND g.ended_at > $1
    ORDER BY g.began_at DESC LIMIT 1000
) g;

-- name: running_suspicions
-- Per shard since when it is suspected, how many stations fell of how many that should have gone on, and how many of them
-- are unknown still.
SELECT s.shard, s.began_at, s.opened_at, s.fell, s.counted,
       (SELECT count(*) FROM suspicion_member m
        WHERE m.shard = s.shard AND m.opened_at = s.opened_at AND m.ended_at IS NULL) AS unknown
FROM suspicion s WHERE s.ended_at IS NULL;

-- name: misnumbering
-- The stations that number their messages wrongly, as the bridges name them (of many, some).
SELECT DISTINCT shard, name AS station FROM partition_clock, jsonb_array_elements_text(memory -> 'named') AS name
ORDER BY shard, station;

-- name: newest_deadletter
-- Ids count refused messages, so the newest one is a counter that never goes back.
SELECT coalesce(max(id), 0) FROM dead_letter;

-- name: get_escalation
SELECT route, plan, state, log, wake_at FROM escalation WHERE incident = $1;

-- name: share_escalations
-- The escalations of the shares in the scope. The largest area comes first.
SELECT e.share, e.route, e.plan, e.state, e.log, e.wake_at FROM share_escalation e JOIN area a ON a.code = e.share
WHERE e.incident = $1 ORDER BY cardinality(a.path), e.share LIMIT $2;

-- name: list_pages
-- The pages of an incident, or of its part in the area $3, the newest $2; of contacts in the scope with their names.
SELECT p.id, c.id AS recipient, c.name, p.why ->> 'role' AS role, p.why ->> 'instead_of' AS instead_of,
       nullif(p.share, '') AS share, p.phase, p.step, p.round,
       p.severity, p.created_at, p.not_before, p.status, p.reason, p.settled_at,
       (SELECT m.kind FROM message_page l JOIN message m ON m.id = l.message WHERE l.page = p.id
        ORDER BY m.created_at DESC LIMIT 1) AS channel
FROM page p LEFT JOIN contact c ON c.id = p.recipient
WHERE p.incident = $1 AND ($3::text IS NULL OR p.share = $3) ORDER BY p.id DESC LIMIT $2;

-- name: seen_contacts
-- Those of these contacts that the scope shows.
SELECT id, name FROM contact WHERE id = ANY ($1::text[]);
