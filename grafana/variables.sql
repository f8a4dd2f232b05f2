-- The values of the variables: `__text` is shown, `__value` is what queries read; `*` stands for everything.

-- name: area1
SELECT '{all}' AS __text, '*' AS __value, 0 AS place
UNION ALL
SELECT coalesce({name}, name), code, 1 FROM area WHERE cardinality(path) = 1
ORDER BY place, __value;

-- name: area2
SELECT '{all}' AS __text, '*' AS __value, 0 AS place
UNION ALL
SELECT coalesce({name}, name), code, 1 FROM area WHERE cardinality(path) = 2 AND parent = ${area1:sqlstring}
ORDER BY place, __value;

-- name: area3
SELECT '{all}' AS __text, '*' AS __value, 0 AS place
UNION ALL
SELECT coalesce({name}, name), code, 1 FROM area WHERE cardinality(path) = 3 AND parent = ${area2:sqlstring}
ORDER BY place, __value;

-- name: area4
SELECT '{all}' AS __text, '*' AS __value, 0 AS place
UNION ALL
SELECT coalesce({name}, name), code, 1 FROM area WHERE cardinality(path) = 4 AND parent = ${area3:sqlstring}
ORDER BY place, __value;

-- name: area
-- The deepest choice.
SELECT coalesce(nullif(${area4:sqlstring}, '*'), nullif(${area3:sqlstring}, '*'), nullif(${area2:sqlstring}, '*'),
                ${area1:sqlstring}) AS __value;

-- name: programme
SELECT '{all}' AS __text, '*' AS __value, 0 AS place
UNION ALL
SELECT name, id, 1 FROM programme
ORDER BY place, __value LIMIT 1000;

-- name: kind
SELECT '{all}' AS __text, '*' AS __value, 0 AS place
UNION ALL
SELECT {kind_words}, kind, 1 FROM (SELECT DISTINCT kind FROM station) AS known
ORDER BY place, __value LIMIT 100;

-- name: station
-- Stations judged offline first, because these are looked up most; typing narrows the list.
SELECT s.name || ' · ' || s.id AS __text, s.id AS __value
FROM station s LEFT JOIN station_state st ON st.station = s.id
WHERE s.lifecycle <> 'retired' AND {in_area s.area}
ORDER BY coalesce(st.state = 'offline', false) DESC, s.id LIMIT 2000;

-- name: console
-- The address of the console, as the newest sign of an API process has it; empty: no process gave one, and the links have no target.
SELECT coalesce((SELECT detail ->> 'address' FROM service_sign WHERE service = 'api' AND detail ? 'address'
                 ORDER BY at DESC LIMIT 1), '') AS __value;

-- name: part_in_area
-- In the parts of queries, AREA, STATION and KIND are columns of the table that the query names; TABLE is this table.
('*' = ${area:sqlstring} OR AREA IN (SELECT code FROM area WHERE path @> ARRAY[${area:sqlstring}]));

-- name: part_chosen
('*' = ${area:sqlstring} OR AREA IN (SELECT code FROM area WHERE path @> ARRAY[${area:sqlstring}]))
  AND ('*' = ${programme:sqlstring} OR STATION IN (SELECT station FROM station_programme WHERE programme = ${programme:sqlstring}))
  AND ('*' = ${kind:sqlstring} OR KIND = ${kind:sqlstring});

-- name: part_on_path
('*' = ${area:sqlstring} OR TABLE.path @> ARRAY[${area:sqlstring}]);

-- name: part_chosen_depth
chosen AS (SELECT coalesce((SELECT cardinality(path) FROM area WHERE code = ${area:sqlstring}), 0) AS depth);

-- name: part_at_area
-- A row of sums is that of the chosen area with all below it; of everything: those of the topmost areas.
CASE WHEN '*' = ${area:sqlstring} THEN TABLE.is_top ELSE TABLE.area = ${area:sqlstring} END;

-- name: part_below_area
-- A row of sums is that of an area directly below the chosen one.
CASE WHEN '*' = ${area:sqlstring} THEN TABLE.is_top ELSE TABLE.parent = ${area:sqlstring} END;

-- name: part_standing
-- The figures of areas with all below them in the time range that stand: of frozen months that lie in the range as a whole their sums,
-- else of days.
frozen AS (
    SELECT month FROM month_frozen
    WHERE month >= {first_day} AND month + interval '1 month' <= {last_day} + 1),
standing AS (
    SELECT a.area, a.parent, a.is_top, a.scheduled_ms, a.excused_ms, a.unknown_ms, a.online_ms, a.service_due_ms, a.usable_ms
    FROM area_month_sum a JOIN frozen USING (month)
    UNION ALL
    SELECT d.area, d.parent, d.is_top, d.scheduled_ms, d.excused_ms, d.unknown_ms, d.online_ms, d.service_due_ms, d.usable_ms
    FROM area_day_sum d
    WHERE d.day BETWEEN {first_day} AND {last_day} AND date_trunc('month', d.day)::date NOT IN (SELECT month FROM frozen));

-- name: part_overdue_since
-- The promised time of an open incident that is acknowledged; of one that is not, the first that a share did not keep.
CASE WHEN TABLE.status = 'acknowledged' THEN TABLE.eta_at
     ELSE (SELECT min(k.eta_at) FROM incident_share_ack k JOIN incident_share x USING (incident, area)
           WHERE k.incident = TABLE.id AND x.down > 0 AND k.eta_at <= now()) END;

-- name: part_first_day
-- The local day on which the time range begins.
($__timeFrom()::timestamptz AT TIME ZONE '{zone}')::date;

-- name: part_last_day
($__timeTo()::timestamptz AT TIME ZONE '{zone}')::date;

-- name: part_levels
-- For links: the values of the variables of the levels.
coalesce(TABLE.path[1], '*') AS area1, coalesce(TABLE.path[2], '*') AS area2, coalesce(TABLE.path[3], '*') AS area3,
       coalesce(TABLE.path[4], '*') AS area4;

-- name: part_rates
-- The rates of docs/uptime.md: sums over sums, rounded down; NULL where nothing was due. The sums of a station's days are
-- integers, which would divide to 0 or 1.
trunc(sum(TABLE.online_ms)::numeric / nullif(sum(TABLE.scheduled_ms - TABLE.excused_ms - TABLE.unknown_ms), 0), 4)::float8 AS online_rate,
       trunc(sum(TABLE.usable_ms)::numeric / nullif(sum(TABLE.service_due_ms), 0), 4)::float8 AS service_rate,
       trunc(sum(TABLE.scheduled_ms - TABLE.excused_ms - TABLE.unknown_ms)::numeric
             / nullif(sum(TABLE.scheduled_ms - TABLE.excused_ms), 0), 4)::float8 AS coverage;

-- name: part_first_use_day
-- Days of use are days of UTC; the first one that begins in the time range. PostgreSQL works it out once, not for each row.
(($__timeFrom()::timestamptz AT TIME ZONE 'UTC') - interval '1 microsecond')::date + 1;

-- name: part_last_use_day
($__timeTo()::timestamptz AT TIME ZONE 'UTC')::date;

-- name: part_used
-- A row of usage_month has use in the time range: a bit of its days is set there. The months are named too, so that those of a few
-- stations are found by the index.
TABLE.month BETWEEN date_trunc('month', ({first_use_day})::timestamp)::date AND {last_use_day}
  AND TABLE.month = ANY (ARRAY(SELECT generate_series(date_trunc('month', ({first_use_day})::timestamp), {last_use_day}, '1 month')::date))
  AND TABLE.days & ((1::bigint << least({last_use_day} - TABLE.month + 1, 31)) - (1::bigint << greatest({first_use_day} - TABLE.month, 0))) <> 0;

-- name: part_sessions
-- The sessions of a row of usage_month in the time range: those up to its end without those before its begin.
TABLE.sessions[least({last_use_day} - TABLE.month + 1, 31)] - coalesce(TABLE.sessions[greatest({first_use_day} - TABLE.month, 0)], 0);

-- name: part_use
-- A CTE `use`, the use in the time range by area and day: kept sums, or those of the chosen programme or kind.
use AS (
    SELECT d.day, d.area, d.sessions, d.minutes, d.bytes FROM usage_area_day d
    WHERE '*' = ${programme:sqlstring} AND '*' = ${kind:sqlstring}
      AND d.day BETWEEN {first_use_day} AND {last_use_day} AND {in_area d.area}
    UNION ALL
    SELECT (u.began_at AT TIME ZONE 'UTC')::date, coalesce(s.area, ''), sum(u.sessions), sum(u.minutes), sum(u.bytes)
    FROM usage_day u JOIN station s ON s.id = u.station
    WHERE NOT ('*' = ${programme:sqlstring} AND '*' = ${kind:sqlstring}) AND $__timeFilter(u.began_at) AND {chosen s.id}
    GROUP BY 1, 2);

-- name: part_sound
-- Whether every clock can be trusted and nothing is set aside: then no station is unknown but those of a suspected shard.
(NOT EXISTS (SELECT FROM set_aside WHERE service IN ('incidents', 'judge') AND kind IN ('station', 'terminal'))
  AND EXISTS (SELECT FROM clock_trust) AND NOT EXISTS (SELECT FROM clock_trust WHERE doubt IS NOT NULL));

-- name: part_kept
-- Whether the incident process keeps the counts of areas now, and nothing but an area is chosen: as the console decides that
-- (api/read/counting.py). What is set aside or in doubt is counted from the stations.
('*' = ${programme:sqlstring} AND '*' = ${kind:sqlstring}
  AND EXISTS (SELECT FROM area_count_known WHERE told_at >= now() - interval '10 s') AND {sound});

-- name: part_counted_below
-- A CTE `counted`: the stations in service in each area below the chosen one, how many of them are down, and of how many
-- the platform does not know whether they are.
counted AS (
    SELECT c.area AS code, c.online + c.unusable + c.offline + c.away + c.unknown + c.closed + c.excused + c.never_seen AS stations,
           c.offline + c.unusable + c.away AS down, c.unknown
    FROM chosen CROSS JOIN area_count c JOIN area a ON a.code = c.area
    WHERE {kept} AND cardinality(a.path) = chosen.depth + 1 AND {on_path a}
    UNION ALL
    SELECT a.path[chosen.depth + 1], count(*), count(*) FILTER (WHERE v.verdict IN ('offline', 'unusable', 'away')),
           count(*) FILTER (WHERE v.verdict = 'unknown')
    FROM chosen CROSS JOIN station_verdict v JOIN area a ON a.code = v.area
    WHERE NOT {kept} AND v.lifecycle = 'commissioned' AND {chosen v} AND cardinality(a.path) > chosen.depth
    GROUP BY 1);

-- name: part_can_be_down
-- Only stations with these judged states can be down; each of them is looked up, and no other station is read.
TABLE.station = ANY (ARRAY(SELECT st.station FROM station_state st
                           WHERE st.state IN ('offline', 'away') OR st.state = 'online' AND NOT st.usable));

-- name: part_place
-- The name of that which an incident is about, looked up only for the rows that are shown.
coalesce((SELECT named.name FROM station named WHERE named.id = TABLE.station),
         (SELECT coalesce(named.{name}, named.name) FROM area named WHERE named.code = TABLE.area),
         TABLE.station, TABLE.area, TABLE.shard);
