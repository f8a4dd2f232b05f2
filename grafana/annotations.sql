-- What is drawn over curves: incidents that opened in the time range, those of areas first, because each stands for many stations.
-- `time` to `timeend`; without an end the incident goes on.

-- name: incidents
-- Blind spots have panels of their own. Of one station only if an area is chosen: those of a country would hide the curves.
SELECT i.began_at AS "time", coalesce(i.ended_at, now()) AS timeend,
       '#' || i.id || ' ' || {incident_words} || ' · ' || coalesce({place i}, '') AS text,
       {incident_words} AS tags
FROM (SELECT * FROM incident i
      WHERE i.parent IS NULL AND i.kind <> 'blind_spot' AND $__timeFilter(i.opened_at) AND (i.detail -> 'quiet') IS DISTINCT FROM 'true'
        AND (i.station IS NULL OR '*' <> ${area:sqlstring}) AND {in_area i.area}
      ORDER BY i.station IS NOT NULL, i.opened_at DESC, i.id DESC LIMIT 100) AS i
ORDER BY i.began_at, i.id;

-- name: of_station
-- Of the chosen station, also those with a parent.
SELECT i.began_at AS "time", coalesce(i.ended_at, now()) AS timeend, '#' || i.id || ' ' || {incident_words} AS text,
       {incident_words} AS tags
FROM incident i
WHERE i.station = ${station:sqlstring} AND $__timeFilter(i.began_at)
ORDER BY i.began_at DESC, i.id DESC LIMIT 100;

-- name: of_platform
-- Of Milepost itself, which have neither a station nor an area.
SELECT i.began_at AS "time", coalesce(i.ended_at, now()) AS timeend,
       '#' || i.id || ' ' || {incident_words} || coalesce(' · ' || i.shard, '') AS text, {incident_words} AS tags
FROM incident i
WHERE i.parent IS NULL AND $__timeFilter(i.opened_at) AND i.station IS NULL AND i.area IS NULL
ORDER BY i.opened_at DESC, i.id DESC LIMIT 100;
