-- name: transition_heads
-- The newest transition of each partition, each one look-up in the primary key.
SELECT p.partition, coalesce((
    SELECT seq FROM transition t WHERE t.partition = p.partition ORDER BY seq DESC LIMIT 1), 0) AS seq
FROM (SELECT DISTINCT partition FROM partition_clock) AS p;

-- name: transitions_after
-- The transitions after the cursors ($1 partition, $2 seq); at most $3 of each partition at a time. `places`: the areas of which
-- the scopes get it.
SELECT t.partition, t.seq, t.station, t.terminal, t.before, t.after, t.usable, held(t.at) AS at,
       held(t.tick_at) AS tick_at, held(t.deadline_at) AS deadline_at, held(t.seen_at) AS seen_at, t.shard, t.reason, t.written_at,
       ARRAY(SELECT unnest(a.path) FROM station s JOIN area a ON a.code = s.area WHERE s.id = t.station) AS places
FROM unnest($1::int[], $2::bigint[]) AS cursor (partition, seq)
CROSS JOIN LATERAL (
    SELECT * FROM transition t WHERE t.partition = cursor.partition AND t.seq > cursor.seq
    ORDER BY t.seq LIMIT $3) AS t
ORDER BY t.written_at, t.partition, t.seq;

-- name: newest_entry
SELECT coalesce(max(id), 0) FROM incident_entry;

-- name: entries_after
-- Ids may become visible out of order: the reader asks for some older ids too, and skips those that it has had. `places`: the
-- areas of which the scopes get it; what is about the platform is for every scope. `share_places`: of an incident of an area, those
-- of its shares, or of the one that it is about.
SELECT e.id AS entry, e.at, e.actor, e.remark, e.action, e.text, e.share, i.id, i.kind, i.station,
       coalesce(i.area, s.area) AS area, i.shard, i.status, i.began_at, i.opened_at, i.closed_at, i.parent,
       CASE WHEN i.kind <> 'pipeline_blind' THEN
           ARRAY(SELECT unnest(a.path) FROM area a WHERE a.code = CASE WHEN i.station IS NULL THEN i.area ELSE s.area END)
       END AS places,
       ARRAY(SELECT unnest(a.path) FROM incident_share x JOIN area a ON a.code = x.area
             WHERE i.station IS NULL AND x.incident = i.id AND (e.share IS NULL OR e.share = x.area)) AS share_places
FROM incident_entry e JOIN incident i ON i.id = e.incident LEFT JOIN station s ON s.id = i.station
WHERE e.id > $1 ORDER BY e.id LIMIT $2;
