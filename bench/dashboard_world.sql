-- What dashboards read beside the world of the board: a year of days, a month of use, a day of changes.

-- name: kinds
UPDATE station SET kind = (ARRAY['library', 'reading_room', 'cultural_station', 'border_post'])[abs(hashtext(id)) % 4 + 1];

-- name: programmes
INSERT INTO programme (id, name) SELECT 'p' || n, '工程' || n FROM generate_series(1, 5) AS n;

-- name: of_programmes
INSERT INTO station_programme SELECT id, 'p' || abs(hashtext('p' || id)) % 5 + 1 FROM station;

-- name: refresh
UPDATE terminal SET refresh_due = current_date + abs(hashtext('r' || station)) % 1500 - 100;

-- name: facts
INSERT INTO terminal_facts (station, terminal, partition, agent, first_at)
SELECT station, '001', partition, '1.' || abs(hashtext('a' || station)) % 9 || '.0', now() - interval '200 days' FROM station_state;

-- name: inventories
INSERT INTO inventory (ts, station, terminal, box, id, device_at, received_at, time_source, model, os, agent)
SELECT now() - interval '9 days', station, '001', 'b', 1, 0, now(), 'anchor', 'K-1', 'Debian 12', '1.4.0' FROM station_state;

-- name: faults
INSERT INTO health_state (station, terminal, rule, subject, partition, field, severity, threshold, value, since, as_of)
SELECT station, '001', 'disk_full', '', partition, 'disk', 'warning', 0.9, 0.95, since, now()
FROM station_state WHERE abs(hashtext('f' || station)) % 40 = 0;

-- name: changes
-- Of the last day: each tenth station went offline for an hour.
INSERT INTO transition (partition, seq, station, before, after, at, tick_at, shard, reason)
SELECT partition, 2 * number + step, station, (ARRAY['online', 'offline'])[step], (ARRAY['offline', 'online'])[step],
       at + step * interval '1 hour', at + step * interval '1 hour', shard, 'bench'
FROM (SELECT *, row_number() OVER () AS number, now() - interval '2 hours' - abs(hashtext('t' || station)) % 79000 * interval '1 second' AS at
      FROM station_state WHERE abs(hashtext('c' || station)) % 10 = 0) AS fell, generate_series(1, 2) AS step;

-- name: days
-- Of each county, of a year. Triggers make the sums.
SET session_replication_role = origin;
INSERT INTO area_day
SELECT current_date - n, code, path, 1e9, 1e7, 1e6, 9e8, 9.8e8, 8e8 FROM area, generate_series(1, 365) AS n WHERE level = 'county';
SET session_replication_role = replica;

-- name: frozen
INSERT INTO month_frozen
SELECT (date_trunc('month', current_date) - make_interval(months => n))::date, now(), 0 FROM generate_series(2, 12) AS n;

-- name: months
SET session_replication_role = origin;
INSERT INTO area_month
SELECT f.month, code, path, 3e10, 3e8, 3e7, 2e10, 2.5e10, 2e10 FROM month_frozen f, area WHERE level = 'county';
SET session_replication_role = replica;

-- name: figures
-- Of each tenth station, of a month; each twentieth of them was revised.
INSERT INTO day_figure (station, day, revision, path, scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms, causes, cut)
SELECT s.id, current_date - n, revision, a.path, 28800000, 0, 0, 20000000, 28000000, 18000000,
       CASE WHEN revision > 1 THEN ARRAY['closure'] ELSE '{}'::text[] END, 0
FROM station s JOIN area a ON a.code = s.area, generate_series(1, 30) AS n, generate_series(1, 2) AS revision
WHERE abs(hashtext('d' || s.id)) % 10 = 0 AND (revision = 1 OR abs(hashtext(s.id || n)) % 20 = 0);

-- name: day_state
INSERT INTO day_state (cut, first_day, last_day) VALUES (0, current_date - 365, current_date - 1);

-- name: use
-- Of each station and day of a month.
INSERT INTO usage_day (began_at, station, terminal, samples, sessions, minutes, bytes)
SELECT date_trunc('day', now(), 'UTC') - n * interval '1 day', id, '001', 24, abs(hashtext(id)) % 9, 60, 1000000
FROM station, generate_series(1, 30) AS n;

-- name: use_due
-- Queries run in the order of their names; sums are made by a day in a transaction of its own, as `milepost audit` makes them.
TRUNCATE rollup_touch, usage_due;
INSERT INTO usage_due (day) SELECT DISTINCT (began_at AT TIME ZONE 'UTC')::date FROM usage_day;

-- name: one_use_sum
SELECT sum_usage_due();

-- name: uses_left
SELECT count(*) FROM usage_due;

-- name: hours
INSERT INTO usage_hour (began_at, station, terminal, samples, sessions, minutes, bytes)
SELECT date_trunc('hour', now()) - n * interval '1 hour', id, '001', 1, 1, 10, 1000
FROM (SELECT id FROM station ORDER BY id LIMIT 1000) AS few, generate_series(1, 168) AS n;

-- name: samples
INSERT INTO health (ts, station, terminal, box, id, device_at, received_at, time_source, cpu, mem, disk, rtt_ms, temp)
SELECT now() - n * interval '5 minutes', id, '001', 'b', n, 0, now(), 'anchor', 0.5, 0.5, 0.5, 40, 50
FROM (SELECT id FROM station ORDER BY id LIMIT 1000) AS few, generate_series(1, 2016) AS n;

-- name: people
INSERT INTO contact (id, name, role, room, edited_by) SELECT 'c' || n, '李' || n, 'technician', false, 'operator' FROM generate_series(1, 500) AS n;

-- name: messages
INSERT INTO message (contact, kind, fingerprint, severity, created_at, status)
SELECT 'c' || n % 500 + 1, (ARRAY['wecom', 'dingtalk', 'sms'])[n % 3 + 1], 'f', 'warning', now() - n * interval '30 seconds', 'taken'
FROM generate_series(1, 80000) AS n;

-- name: answers
UPDATE incident SET first_acknowledged_at = opened_at + interval '9 minutes' WHERE status = 'closed';

-- name: repairs
INSERT INTO repair (incident, at, made_by, cause, text)
SELECT id, ended_at, 'operator', (ARRAY['power', 'uplink', 'agent'])[id % 3 + 1], '' FROM incident WHERE status = 'closed' AND id % 4 = 0;

-- name: a_station
SELECT min(id) FROM station;
