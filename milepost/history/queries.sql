-- name: found_of_reality
-- What makes a database real: stations, records or decisions that are there before the history is made.
SELECT EXISTS (SELECT FROM station) OR EXISTS (SELECT FROM transition) OR EXISTS (SELECT FROM health)
    OR EXISTS (SELECT FROM presence) OR EXISTS (SELECT FROM incident);

-- name: mark_made_up
INSERT INTO made_up_history (seed, stations, from_at, until_at) VALUES ($1, $2, $3, $4);

-- name: set_effective
-- Since when the facts hold that the registry gets in this session.
SELECT set_config('milepost.effective_at', $1, false);

-- name: wait_for_no_disk
-- A history that is lost with the machine is made again.
SELECT set_config('synchronous_commit', 'off', false);

-- name: opened_after
-- New incidents that somebody works on: no children of a common cause, and none of the platform.
SELECT i.id, coalesce(array_agg(c.station) FILTER (WHERE c.station IS NOT NULL), ARRAY[i.station]) AS stations
FROM incident i LEFT JOIN incident c ON c.parent = i.id
WHERE i.id > $1 AND i.parent IS NULL AND i.status = 'open' AND i.kind <> 'pipeline_blind' GROUP BY i.id ORDER BY i.id;

-- name: tell_nobody
-- Nobody is told of what never happened.
UPDATE notification SET spread_at = created_at, routed_at = created_at WHERE spread_at IS NULL OR routed_at IS NULL;

-- name: sweep_touches
-- The database does this once a minute, in which a history has weeks; each call would read past all hours whose figures are made.
VACUUM rollup_touch;

-- name: newest_transitions
SELECT partition, max(seq) AS seq FROM transition GROUP BY partition;

-- name: size_of_history
SELECT (SELECT count(*) FROM incident) AS incidents, (SELECT count(*) FROM station_day) AS days,
       (SELECT count(*) FROM health) + (SELECT count(*) FROM usage) AS records;
