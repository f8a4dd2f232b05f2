-- name: standing
-- Terminals that count for service, how many of these work, and how many are to be replaced this year.
SELECT count(*) AS terminals, count(*) FILTER (WHERE st.state = 'online') AS working,
       count(*) FILTER (WHERE t.refresh_due < current_date) AS refresh_late,
       count(*) FILTER (WHERE t.refresh_due >= current_date AND t.refresh_due < current_date + 365) AS refresh_soon
FROM terminal t JOIN station s ON s.id = t.station
LEFT JOIN terminal_state st ON st.station = t.station AND st.terminal = t.id
WHERE t.counts AND s.lifecycle = 'commissioned' AND {chosen s.id};

-- name: types
SELECT t.type, count(*) AS terminals, count(*) FILTER (WHERE st.state IN ('offline', 'away')) AS down
FROM terminal t JOIN station s ON s.id = t.station
LEFT JOIN terminal_state st ON st.station = t.station AND st.terminal = t.id
WHERE s.lifecycle = 'commissioned' AND {chosen s.id}
GROUP BY t.type ORDER BY terminals DESC, t.type LIMIT 50;

-- name: agents
-- The versions of agents, the rarest first: these are the ones that were left behind.
SELECT coalesce(f.agent, '') AS agent, count(*) AS terminals, max(st.seen_at) AS seen
FROM terminal_facts f JOIN station s ON s.id = f.station
LEFT JOIN terminal_state st ON st.station = f.station AND st.terminal = f.terminal
WHERE s.lifecycle = 'commissioned' AND {chosen s.id}
GROUP BY 1 ORDER BY terminals, agent LIMIT 100;

-- name: refresh
-- Terminals by the month in which they are to be replaced.
SELECT date_trunc('month', t.refresh_due)::timestamp AT TIME ZONE '{zone}' AS "time", count(*)::float8 AS terminals
FROM terminal t JOIN station s ON s.id = t.station
WHERE t.refresh_due BETWEEN {first_day} AND {last_day} AND s.lifecycle = 'commissioned' AND {chosen s.id}
GROUP BY 1 ORDER BY 1 LIMIT 600;

-- name: faults
-- What the health rules say now, the gravest first.
SELECT h.station, s.name, h.terminal, h.rule, h.severity, round(h.value::numeric, 2)::float8 AS value, h.since
FROM health_state h JOIN station s ON s.id = h.station
WHERE s.lifecycle = 'commissioned' AND {chosen s.id}
ORDER BY array_position(ARRAY['critical', 'warning', 'info'], h.severity), h.since, h.station LIMIT 200;

-- name: late
-- Terminals that should have been replaced already, the oldest first.
SELECT t.station, s.name, t.id AS terminal, t.type, to_char(t.refresh_due, 'YYYY-MM-DD') AS refresh
FROM terminal t JOIN station s ON s.id = t.station
WHERE t.refresh_due < current_date AND s.lifecycle = 'commissioned' AND {chosen s.id}
ORDER BY t.refresh_due, t.station, t.id LIMIT 200;
