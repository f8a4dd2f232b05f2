-- name: list_fallen
-- For the board: the stations that are offline longest, in the columns of list_stations, without those that have an
-- incident of their own, are not expected to be online, or whose clock cannot be trusted. $1 to $7 as in stations_now; $8:
-- how many; $9: of these areas, or of all. The rule stands here as joins that each leave stations out: with 700,000 stations of which nearly all are closed
-- for the night this takes 3 s on a busy machine, the same through stations_now 16 s; by day both take as long.
SELECT s.id, s.name, s.name_en, s.name_bo, s.area, s.lifecycle, s.quorum, s.calendar, st.partition, st.shard, st.state,
       held(st.since) AS since, st.usable, a.path, ARRAY(SELECT programme FROM station_programme sp WHERE sp.station = s.id) AS programmes,
       false AS flapping, a.name AS area_name, a.name_en AS area_name_en, st.all_of_them
FROM (
    SELECT st.*, count(*) OVER () AS all_of_them
    FROM station_state st JOIN station s ON s.id = st.station
    LEFT JOIN unnest($1::int[]) AS whole (partition) ON whole.partition = st.partition
    LEFT JOIN unnest($2::int[], $3::text[]) AS partly (partition, shard)
           ON partly.partition = st.partition AND partly.shard = coalesce(st.shard, (
               SELECT t.shard FROM terminal_state t WHERE t.station = st.station
               ORDER BY t.seen_at DESC NULLS LAST, t.terminal LIMIT 1))
    LEFT JOIN unnest($4::bigint[]) AS shut (calendar) ON shut.calendar = s.calendar
    LEFT JOIN (SELECT unnest($5::text[]) AS station
               UNION SELECT station FROM station_programme WHERE programme = ANY ($7::text[])) AS excuse
           ON excuse.station = s.id
    WHERE s.lifecycle = 'commissioned' AND st.state = 'offline'
      AND NOT EXISTS (SELECT FROM suspicion_member m WHERE m.station = st.station AND m.ended_at IS NULL)
      AND NOT EXISTS (SELECT FROM station_aside a WHERE a.station = st.station)
      AND (whole.partition IS NOT NULL OR partly.partition IS NOT NULL)
      AND shut.calendar IS NULL AND excuse.station IS NULL
      AND (s.area IN (SELECT code FROM areas_below($6::text[]) AS code)) IS NOT TRUE
      AND ($9::text[] IS NULL OR s.area = ANY ($9))
      AND NOT EXISTS (SELECT FROM incident i WHERE i.station = s.id AND i.status <> 'closed'
                      AND i.kind IN ('station_offline', 'overdue_return', 'flapping'))
    ORDER BY st.since, st.station LIMIT $8) AS st
JOIN station s ON s.id = st.station LEFT JOIN area a ON a.code = s.area
ORDER BY st.since, s.id;

-- name: map_places
-- Where the middle of the stations of each province, prefecture and county is; $2: of these areas, or of all.
SELECT up.level, up.code, up.name, up.name_en, avg(s.lat) AS lat, avg(s.lon) AS lon
FROM (SELECT area, sum(lat) / count(*) AS lat, sum(lon) / count(*) AS lon FROM station
      WHERE lat IS NOT NULL AND lon IS NOT NULL AND lifecycle <> 'retired'
        AND ($2::text[] IS NULL OR area = ANY ($2)) GROUP BY area) AS s
JOIN area a ON a.code = s.area
CROSS JOIN LATERAL unnest(a.path) AS above (code)
JOIN area up ON up.code = above.code AND up.level IN ('province', 'prefecture', 'county')
GROUP BY up.code ORDER BY up.code LIMIT $1;

-- name: describe_stations
-- What pages show of stations beside their verdict.
SELECT id, name, name_en, name_bo, kind, address, isp, lat, lon FROM station WHERE id = ANY ($1::text[]);

-- name: name_areas
SELECT code, name, name_en, name_bo, level FROM area WHERE code = ANY ($1::text[]);

-- name: area_path
-- An area and those above it, the highest first. Of those above the scope only their names are shown.
SELECT up.code, up.name, up.name_en, up.name_bo, up.level,
       (SELECT scope_is_whole()) OR up.code IN (SELECT code FROM scope_areas() AS code) AS in_scope
FROM area a JOIN area up ON up.code = ANY (a.path)
WHERE a.code = $1 ORDER BY cardinality(up.path);

-- name: find_areas_named
-- Areas with a text in a name, at most $2: whole names first, then beginnings, then areas of a higher level.
SELECT code, name, name_en, name_bo FROM area
WHERE strpos(lower(concat_ws(E'\n', name, name_en, name_bo)), lower($1)) > 0
ORDER BY (lower($1) IN (lower(name), lower(name_en), lower(name_bo))) IS TRUE DESC,
         (starts_with(lower(name), lower($1)) OR starts_with(lower(name_en), lower($1))) IS TRUE DESC,
         cardinality(path), code
LIMIT $2;

-- name: name_accounts
SELECT id, name FROM account WHERE id = ANY ($1::text[]);

-- name: names_above
-- The names of the areas above each of some areas, the highest first.
SELECT a.code, array_agg(up.name ORDER BY cardinality(up.path)) AS names,
       array_agg(up.name_en ORDER BY cardinality(up.path)) AS names_en
FROM area a JOIN area up ON up.code = ANY (a.path) AND up.code <> a.code
WHERE a.code = ANY ($1::text[]) GROUP BY a.code;

-- name: count_blind_spots
-- Open blind spots by kind, of subtrees ($1).
SELECT coalesce(i.detail ->> 'kind', '') AS kind, count(*) AS spots
FROM incident i LEFT JOIN station s ON s.id = i.station
WHERE i.kind = 'blind_spot' AND i.status <> 'closed'
  AND ($1::text[] IS NULL OR coalesce(i.area, s.area) IN (SELECT code FROM areas_below($1) AS code))
GROUP BY 1;

-- name: count_children
-- How many incidents have this one as their cause, of how many stations (for what concerns terminals, $2, of those), and
-- how many of them are still down.
SELECT count(DISTINCT thing) AS many, count(*) AS incidents, count(DISTINCT thing) FILTER (WHERE bad) AS down
FROM (SELECT status <> 'closed' OR reopen_at IS NOT NULL AS bad, CASE WHEN $2::boolean THEN key ELSE station END AS thing
      FROM incident WHERE parent = $1) AS child;

-- name: list_open_incidents
-- For the board: incidents of many stations before those of one, unacknowledged before acknowledged, the oldest first; those
-- that reach beyond the scope while a share in it is down. Names are looked up only for the incidents that are shown. A part
-- of an incident that is not seen stands for itself.
SELECT i.id, i.kind, i.station, s.name, s.name_en, s.name_bo, a.name AS area_name, a.name_en AS area_name_en,
       coalesce(i.area, s.area) AS area, i.shard, i.status, i.began_at, i.assignee, i.detail,
       own.name AS share_name, own.name_en AS share_name_en, i.share,
       (SELECT count(DISTINCT CASE WHEN i.kind = 'health' THEN c.key ELSE c.station END)
        FROM incident c WHERE c.parent = i.id) AS children, i.all_of_them
FROM (
    SELECT *, count(*) OVER () AS all_of_them,
           array_position(ARRAY['pipeline_blind', 'area_outage', 'blind_spot', 'station_offline', 'overdue_return',
                                'unusable', 'identity_conflict', 'channel_dead', 'seal_late', 'set_aside', 'flapping',
                                'never_seen', 'health'],
                          CASE WHEN kind IN ('health', 'unusable') AND station IS NULL THEN 'area_outage' ELSE kind END) AS rank
    FROM (SELECT id, kind, station, area, shard, status, began_at, assignee, detail, NULL::text AS share FROM incident
          WHERE status <> 'closed' AND (detail -> 'quiet') IS DISTINCT FROM 'true'
            AND (parent IS NULL OR NOT (SELECT scope_is_whole())
                 AND NOT EXISTS (SELECT FROM incident p WHERE p.id = incident.parent)
                 AND NOT EXISTS (SELECT FROM incident_share x WHERE x.incident = incident.parent
                                 AND x.area = share_area(incident.area)))
          UNION ALL
          SELECT id, kind, NULL, area, NULL, status, began_at, NULL, detail, share FROM scoped.shared_incident
          WHERE status <> 'closed' AND parent IS NULL AND (detail -> 'quiet') IS DISTINCT FROM 'true' AND down > 0) AS seen
    ORDER BY rank, status DESC, began_at, id LIMIT $1) AS i
LEFT JOIN station s ON s.id = i.station
LEFT JOIN area a ON a.code = coalesce(i.area, s.area)
LEFT JOIN area own ON own.code = i.share
ORDER BY i.rank, i.status DESC, i.began_at, i.id;

-- name: count_quiet_spots
-- Open blind spots without notifications.
SELECT count(*) FROM incident WHERE kind = 'blind_spot' AND status <> 'closed' AND (detail -> 'quiet') = 'true';

-- name: hold_owner
-- The account that works on an open incident; its row does not change until the transaction ends.
SELECT CASE status WHEN 'acknowledged' THEN acknowledged_by END FROM incident WHERE id = $1 FOR UPDATE;
