-- name: load_outages
-- The memory of the causes of a kind, each with its incident; of several incidents with the same key and beginning, the
-- newest.
SELECT DISTINCT ON (m.key, m.began_at) m.memory, i.id, i.status FROM cause_memory m
JOIN incident i ON i.key = m.key AND i.began_at = m.began_at
WHERE i.kind = $1
ORDER BY m.key, m.began_at, i.id DESC;

-- name: load_down
-- The incidents of single stations that go on, of some kinds; not those whose fault is over and whose repair is verified.
SELECT id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at, parent, detail
FROM incident WHERE kind = ANY ($1::text[]) AND (status <> 'closed' OR reopen_at IS NOT NULL) AND station IS NOT NULL
  AND NOT detail ? 'fault_ended'
ORDER BY id;

-- name: stations_ever
-- All stations that were ever children of these parents.
SELECT DISTINCT parent, station FROM incident WHERE parent = ANY ($1::bigint[]) AND station IS NOT NULL;

-- name: save_outages
INSERT INTO cause_memory (key, began_at, memory)
SELECT key, began_at, memory::jsonb FROM unnest($1::text[], $2::timestamptz[], $3::text[]) AS m (key, began_at, memory)
ON CONFLICT (key, began_at) DO UPDATE SET memory = excluded.memory;

-- name: forget_outages
DELETE FROM cause_memory AS c USING unnest($1::text[], $2::timestamptz[]) AS m (key, began_at)
WHERE c.key = m.key AND c.began_at = m.began_at;

-- name: load_flapping
SELECT station, changes, flaps, slot FROM flapping_memory;

-- name: save_flapping
INSERT INTO flapping_memory (station, changes, flaps, slot)
SELECT station, array(SELECT to_timestamp(change::float8) FROM unnest(string_to_array(changes, ' ')) AS change), flaps,
       slot
FROM unnest($1::text[], $2::text[], $3::boolean[], $4::float8[]) AS m (station, changes, flaps, slot)
ON CONFLICT (station) DO UPDATE SET changes = excluded.changes, flaps = excluded.flaps, slot = excluded.slot;

-- name: forget_flapping
DELETE FROM flapping_memory WHERE station = ANY ($1::text[]);

-- name: load_agents
-- The agent's version of a station is that of its first terminal.
SELECT DISTINCT ON (station) station, agent FROM terminal_facts WHERE agent IS NOT NULL ORDER BY station, terminal;

-- name: changed_agents
-- The same for the stations whose facts changed since the horizon of a snapshot ($1).
SELECT DISTINCT ON (f.station) f.station, f.agent
FROM terminal_facts f
WHERE f.agent IS NOT NULL
  AND f.station IN (SELECT station FROM terminal_facts WHERE changed_xid >= $1::text::xid8)
ORDER BY f.station, f.terminal;
