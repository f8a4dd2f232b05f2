-- name: read_peers
-- When stations were heard last and should be heard next, and whether each of their terminals is overdue on its clock, or
-- its Last Will has come: a broken link of many says so long before a heartbeat of each is due. $2 given: those that were
-- heard last before a gap are overdue only after two intervals and $2 seconds since it.
SELECT t.station, max(t.seen_at) AS began, max(t.seen_at + t.every * interval '1 second') AS until,
       max(t.every) AS every,
       bool_and(t.state = 'offline' OR coalesce((t.memory ->> 'will')::boolean, false)
                OR (t.seen + t.every < c.clock
                    AND ($2::float8 IS NULL OR t.seen > s.stretch_from
                         OR c.clock - s.stretch_from >= 2 * t.every + $2))) AS overdue
FROM terminal_state t JOIN partition_clock c USING (partition, shard)
CROSS JOIN LATERAL (SELECT coalesce((c.memory ->> 'stretch_from')::float8, -1) AS stretch_from) s
WHERE t.station = ANY ($1::text[]) AND t.state IN ('online', 'offline', 'conflicting') AND t.seen_at IS NOT NULL
GROUP BY t.station;
