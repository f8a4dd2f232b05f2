-- name: counts
-- The number of stations by verdict, a column each, so that a verdict without stations shows 0. Retired stations are left
-- out. Kept counts are read where they can be; they have no station that lies nowhere.
SELECT coalesce(sum(online), 0)::bigint AS online, coalesce(sum(unusable), 0)::bigint AS unusable,
       coalesce(sum(offline), 0)::bigint AS offline, coalesce(sum(away), 0)::bigint AS away,
       coalesce(sum(closed), 0)::bigint AS closed, coalesce(sum(excused), 0)::bigint AS excused,
       coalesce(sum(unknown), 0)::bigint AS unknown, coalesce(sum(never_seen), 0)::bigint AS never_seen,
       coalesce(sum(suspended), 0)::bigint AS suspended
FROM (
    SELECT c.online, c.unusable, c.offline, c.away, c.closed, c.excused, c.unknown, c.never_seen, c.suspended
    FROM area_count c JOIN area a ON a.code = c.area
    WHERE {kept} AND CASE WHEN '*' = ${area:sqlstring} THEN a.parent IS NULL ELSE a.code = ${area:sqlstring} END
    UNION ALL
    SELECT count(*) FILTER (WHERE verdict = 'online'), count(*) FILTER (WHERE verdict = 'unusable'),
           count(*) FILTER (WHERE verdict = 'offline'), count(*) FILTER (WHERE verdict = 'away'),
           count(*) FILTER (WHERE verdict = 'closed'), count(*) FILTER (WHERE verdict = 'excused'),
           count(*) FILTER (WHERE verdict = 'unknown'), count(*) FILTER (WHERE verdict = 'never_seen'),
           count(*) FILTER (WHERE verdict = 'suspended')
    FROM station_verdict v
    WHERE {kept} AND '*' = ${area:sqlstring} AND area IS NULL AND lifecycle <> 'retired'
    UNION ALL
    SELECT count(*) FILTER (WHERE verdict = 'online'), count(*) FILTER (WHERE verdict = 'unusable'),
           count(*) FILTER (WHERE verdict = 'offline'), count(*) FILTER (WHERE verdict = 'away'),
           count(*) FILTER (WHERE verdict = 'closed'), count(*) FILTER (WHERE verdict = 'excused'),
           count(*) FILTER (WHERE verdict = 'unknown'), count(*) FILTER (WHERE verdict = 'never_seen'),
           count(*) FILTER (WHERE verdict = 'suspended')
    FROM station_verdict v
    WHERE NOT {kept} AND lifecycle <> 'retired' AND {chosen v}) AS parts;

-- name: standing
-- How many stations should be open now, which share of these is online, and what is open of incidents and blind spots. Unknown
-- stations are not counted as not online, because the platform is the cause. While nothing is in doubt, a station that is online and
-- usable has this verdict, so only its hours are looked up.
SELECT due.expected, due.share, open.incidents, open.unowned, open.spots
FROM (SELECT sum(expected)::bigint AS expected, sum(online)::float8 / nullif(sum(known), 0) AS share
      FROM (
          SELECT count(*) AS expected, count(*) AS known, count(*) AS online
          FROM station s JOIN station_state st ON st.station = s.id LEFT JOIN calendar_now hours ON hours.calendar = s.calendar
          WHERE {sound} AND s.lifecycle = 'commissioned' AND st.state = 'online' AND st.usable IS NOT FALSE
            AND coalesce(hours.open, true) AND {chosen s.id}
          UNION ALL
          SELECT count(*), count(*) FILTER (WHERE verdict <> 'unknown'), count(*) FILTER (WHERE verdict = 'online')
          FROM station_verdict v
          WHERE {sound} AND lifecycle = 'commissioned' AND open AND verdict NOT IN ('excused', 'never_seen') AND {chosen v}
            AND station = ANY (ARRAY(SELECT st.station FROM station_state st WHERE st.state <> 'online' OR NOT st.usable))
          UNION ALL
          SELECT count(*), count(*) FILTER (WHERE verdict <> 'unknown'), count(*) FILTER (WHERE verdict = 'online')
          FROM station_verdict v
          WHERE NOT {sound} AND lifecycle = 'commissioned' AND open AND verdict NOT IN ('excused', 'never_seen') AND {chosen v}
      ) AS parts) AS due,
     (SELECT count(*) FILTER (WHERE i.kind <> 'blind_spot' AND is_told) AS incidents,
             count(*) FILTER (WHERE i.status = 'open' AND i.assignee IS NULL AND is_told) AS unowned,
             count(*) FILTER (WHERE i.kind = 'blind_spot') AS spots
      FROM incident i
      CROSS JOIN LATERAL (SELECT i.parent IS NULL AND (i.detail -> 'quiet') IS DISTINCT FROM 'true' AS is_told) AS told
      WHERE i.status <> 'closed' AND {in_area i.area}) AS open;

-- name: worst
-- The stations that have been without service longest. Unknown stations are left out, because the platform is the cause.
SELECT v.station, v.name, coalesce((SELECT coalesce(a.{name}, a.name) FROM area a WHERE a.code = v.area), v.area) AS area,
       v.verdict, v.since, extract(epoch FROM now() - v.since)::float8 AS lasts
FROM station_verdict v
WHERE v.verdict IN ('offline', 'unusable', 'away') AND {can_be_down v} AND {chosen v}
ORDER BY array_position(ARRAY['offline', 'unusable', 'away'], v.verdict), v.since, v.station LIMIT 50;

-- name: incidents
-- The open incidents, the oldest first; children are left out, because only their parent is notified.
SELECT i.id, i.kind, {place i} AS place, i.status, i.began_at AS began,
       extract(epoch FROM now() - i.began_at)::float8 AS lasts,
       coalesce(i.assignee, i.acknowledged_remark, i.acknowledged_by) AS owner, i.eta_at AS eta
FROM incident i
WHERE i.status <> 'closed' AND i.parent IS NULL AND i.kind <> 'blind_spot' AND (i.detail -> 'quiet') IS DISTINCT FROM 'true'
  AND {in_area i.area}
ORDER BY i.began_at, i.id LIMIT 50;

-- name: worst_areas
-- The areas below the chosen one, those with the most stations down first. `down`: offline, unusable or away. The share is of
-- the stations of which the platform knows the state.
WITH {chosen_depth}, {counted_below}
SELECT coalesce(a.{name}, a.name) AS area, c.stations, c.down, 1 - c.down::float8 / nullif(c.stations - c.unknown, 0) AS not_down,
       {levels a}
FROM counted c JOIN area a USING (code) WHERE c.down > 0 ORDER BY c.down DESC, c.code LIMIT 100;

-- name: share
-- The share of stations in service that were judged online, usable or not, as in the online rate. It is counted back from
-- now: the changes after a moment are subtracted from the present number. It is not the audited rate of a period.
WITH mine AS MATERIALIZED (
    SELECT id FROM station s WHERE lifecycle = 'commissioned' AND {chosen s.id}),
slots AS (
    SELECT floor(extract(epoch FROM t.at) * 1000 / $__interval_ms)::bigint AS slot, false AS shown,
           (t.after = 'online')::int - (t.before = 'online')::int AS change
    FROM transition t JOIN mine ON mine.id = t.station
    WHERE t.terminal IS NULL AND t.at >= $__timeFrom()
    UNION ALL
    SELECT generate_series(
        floor(extract(epoch FROM $__timeFrom()::timestamptz) * 1000 / $__interval_ms)::bigint,
        floor(extract(epoch FROM least($__timeTo()::timestamptz, now())) * 1000 / $__interval_ms)::bigint), true, 0),
sums AS (
    SELECT slot, bool_or(shown) AS shown, sum(sum(change)) OVER (ORDER BY slot DESC) - sum(change) AS later
    FROM slots GROUP BY slot),
online AS (
    SELECT count(*) AS stations FROM station_state st JOIN mine ON mine.id = st.station WHERE st.state = 'online')
SELECT to_timestamp((slot + 1) * $__interval_ms / 1000.0) AS "time",
       ((SELECT stations FROM online) - later)::float8 / nullif((SELECT count(*) FROM mine), 0) AS share
FROM sums WHERE shown ORDER BY slot LIMIT 5000;
