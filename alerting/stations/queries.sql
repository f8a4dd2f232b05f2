-- name: read_known
-- Up to when the last committed pass had decided.
SELECT known_at FROM incident_clock;

-- name: set_known
-- The time never goes back.
INSERT INTO incident_clock (known_at) VALUES ($1)
ON CONFLICT (one) DO UPDATE SET known_at = excluded.known_at WHERE incident_clock.known_at < excluded.known_at;

-- name: area_paths
-- Where each area lies in the tree.
SELECT code, path FROM area;

-- name: areas_changed
-- A mark that changes when an area is added, deleted or moved.
SELECT concat(count(*), '/', max(changed_at)) FROM area;

-- name: calendars_changed
-- A mark of all calendars. The openings of a calendar never change, except by the class of a day.
SELECT concat(count(*), '/', max(id), '/', (SELECT md5(string_agg(d.day || d.class, ',' ORDER BY d.day)) FROM day_class d))
FROM calendar;

-- name: all_stations
-- A station is expected to report since it is in service here, whatever date it has: so an import in bulk leaves no
-- station out, and raises no incident for the years before the import.
SELECT s.id AS station, s.area, s.kind, s.isp, s.feeder, s.lifecycle, s.calendar,
       held(greatest(s.commissioned_at, s.in_service_at)) AS commissioned_at,
       s.commissioned_at <> held(s.commissioned_at) AS out_of_bounds, coalesce(p.programmes, '{}') AS programmes
FROM station s
LEFT JOIN (SELECT station, array_agg(programme ORDER BY programme) AS programmes
           FROM station_programme GROUP BY station) p ON p.station = s.id;

-- name: changed_stations
-- What may have been committed since a horizon ($1).
SELECT s.id AS station, s.area, a.path, s.kind, s.isp, s.feeder, s.lifecycle, s.calendar,
       held(greatest(s.commissioned_at, s.in_service_at)) AS commissioned_at,
       s.commissioned_at <> held(s.commissioned_at) AS out_of_bounds,
       array(SELECT programme FROM station_programme p WHERE p.station = s.id ORDER BY programme) AS programmes
FROM station s LEFT JOIN area a ON a.code = s.area WHERE s.changed_xid >= $1::text::xid8;

-- name: some_stations
-- As all_stations.
SELECT s.id AS station, s.area, a.path, s.kind, s.isp, s.feeder, s.lifecycle, s.calendar,
       held(greatest(s.commissioned_at, s.in_service_at)) AS commissioned_at,
       s.commissioned_at <> held(s.commissioned_at) AS out_of_bounds,
       array(SELECT programme FROM station_programme p WHERE p.station = s.id ORDER BY programme) AS programmes
FROM station s LEFT JOIN area a ON a.code = s.area WHERE s.id = ANY ($1::text[]);

-- name: deleted_stations
-- What was deleted since a horizon ($1), and is not registered again.
SELECT DISTINCT d.station FROM station_deleted d
WHERE d.changed_xid >= $1::text::xid8 AND NOT EXISTS (SELECT FROM station s WHERE s.id = d.station);

-- name: all_states
-- The judged state of each station, and the reason of its last transition when it is not online.
SELECT st.station, st.partition, st.state, held(st.since) AS since, st.usable,
       CASE WHEN st.state = 'online' AND NOT st.usable THEN held(st.since) END AS unusable_since,
       coalesce(st.shard, last.shard) AS shard, held(last.seen_at) AS seen_at, last.reason
FROM station_state st
LEFT JOIN LATERAL (
    SELECT t.reason, t.seen_at, t.shard FROM transition t
    WHERE st.state <> 'online' AND t.station = st.station AND t.terminal IS NULL AND t.before <> t.after
    ORDER BY t.at DESC, t.seq DESC LIMIT 1
) last ON true;

-- name: some_states
-- As all_states.
SELECT st.station, st.partition, st.state, held(st.since) AS since, st.usable,
       CASE WHEN st.state = 'online' AND NOT st.usable THEN held(st.since) END AS unusable_since,
       coalesce(st.shard, last.shard) AS shard, held(last.seen_at) AS seen_at, last.reason
FROM station_state st
LEFT JOIN LATERAL (
    SELECT t.reason, t.seen_at, t.shard FROM transition t
    WHERE t.station = st.station AND t.terminal IS NULL AND t.before <> t.after
    ORDER BY t.at DESC, t.seq DESC LIMIT 1
) last ON true
WHERE st.station = ANY ($1::text[]);

-- name: states_behind
-- How stations stood before the transitions that are not taken in yet, because station_state is ahead of these.
-- $1, $2: up to which number of each partition transitions are taken in.
WITH RECURSIVE found AS (
    (SELECT partition FROM transition ORDER BY partition LIMIT 1)
    UNION ALL
    SELECT (SELECT t.partition FROM transition t WHERE t.partition > found.partition ORDER BY t.partition LIMIT 1)
    FROM found WHERE found.partition IS NOT NULL
)
SELECT ahead.station, ahead.partition, ahead.before AS state, held(held.at) AS since, last.usable,
       CASE WHEN ahead.before = 'online' AND NOT last.usable THEN held(last.at) END AS unusable_since, last.shard,
       held(held.seen_at) AS seen_at, held.reason
FROM (
    SELECT DISTINCT ON (t.station) t.station, t.partition, t.seq, t.before
    FROM found
    LEFT JOIN unnest($1::int[], $2::bigint[]) AS c (partition, seq) USING (partition)
    JOIN transition t ON t.partition = found.partition AND t.seq > coalesce(c.seq, -1)
    WHERE t.terminal IS NULL AND ($3::text[] IS NULL OR t.station = ANY ($3::text[]))
    ORDER BY t.station, t.seq
) ahead
LEFT JOIN LATERAL (
    SELECT t.at, t.usable, t.shard FROM transition t
    WHERE t.station = ahead.station AND t.terminal IS NULL AND t.seq < ahead.seq
    ORDER BY t.at DESC, t.seq DESC LIMIT 1
) last ON true
LEFT JOIN LATERAL (
    SELECT t.at, t.seen_at, t.reason FROM transition t
    WHERE t.station = ahead.station AND t.terminal IS NULL AND t.seq < ahead.seq AND t.before <> t.after
    ORDER BY t.at DESC, t.seq DESC LIMIT 1
) held ON true;

-- name: clock_of_stations
-- Those of some stations that are heard now through one of the clocks ($2: partitions, $3: shards).
SELECT station, partition, shard FROM station_state JOIN unnest($2::int[], $3::text[]) AS sound (partition, shard)
USING (partition, shard) WHERE station = ANY ($1::text[]);

-- name: all_promises
-- The interval of each station: of its slowest terminal that counts, or of its slowest when none is registered.
SELECT t.station, coalesce(max(t.every) FILTER (WHERE r.counts), max(t.every)) AS every
FROM terminal_state t LEFT JOIN terminal r ON r.station = t.station AND r.id = t.terminal
WHERE t.every > 0 GROUP BY t.station;

-- name: some_promises
-- As all_promises.
SELECT t.station, coalesce(max(t.every) FILTER (WHERE r.counts), max(t.every)) AS every
FROM terminal_state t LEFT JOIN terminal r ON r.station = t.station AND r.id = t.terminal
WHERE t.station = ANY ($1::text[]) AND t.every > 0 GROUP BY t.station;

-- name: recent_gaps
-- When the last gap of each clock ended; short ones make no station unknown.
SELECT partition, shard, max(ended_at) AS ended_at FROM pipeline_gap
WHERE ended_at > $1::timestamptz - interval '1 hour' AND ended_at - began_at > interval '5 seconds'
GROUP BY partition, shard;
