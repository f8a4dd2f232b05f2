-- name: read_peers
-- By station: the last heartbeat, when the next one is due, and whether all terminals are overdue. A terminal is
-- overdue when its next heartbeat did not come in time on its pipeline clock, or when its Last Will came: a broken link
-- that many stations share shows in Last Wills long before each heartbeat is due. If $2 is given, a terminal whose last
-- heartbeat came before a gap is overdue only when two intervals and $2 seconds have passed since the gap.
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
