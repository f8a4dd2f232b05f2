-- name: open_station_incidents
-- The incidents of single stations that go on, of some kinds; not those whose fault is over and whose repair is verified.
SELECT station, kind FROM incident
WHERE (status <> 'closed' OR reopen_at IS NOT NULL) AND kind = ANY ($1::text[]) AND station IS NOT NULL
  AND NOT detail ? 'fault_ended';

-- name: shared_boots
-- Terminals that are heard under the boot and run of another terminal.
SELECT t.station, t.terminal, t.boot, t.run, t.n
FROM (SELECT boot, run FROM terminal_state WHERE boot <> '' AND state IN ('online', 'conflicting')
      GROUP BY boot, run HAVING count(*) > 1 LIMIT 1000) shared
JOIN terminal_state t ON t.boot = shared.boot AND t.run = shared.run
WHERE t.state IN ('online', 'conflicting');
