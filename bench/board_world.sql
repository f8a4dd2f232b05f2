-- name: areas
-- 31 provinces of 90 counties.
INSERT INTO area (code, name, name_en, parent, level, path)
SELECT p || '0000000000', '省' || p, 'Province ' || p, NULL, 'province', ARRAY[p || '0000000000']
FROM generate_series(11, 41) AS p
UNION ALL
SELECT p || lpad(c::text, 4, '0') || '000000', '县' || p || c, NULL, p || '0000000000', 'county',
       ARRAY[p || '0000000000', p || lpad(c::text, 4, '0') || '000000']
FROM generate_series(11, 41) AS p, generate_series(1, 90) AS c;

-- name: calendars
-- 300, every fifth of them shut now.
INSERT INTO calendar (key, definition, filled_from, filled_to, classes)
SELECT 'bench ' || n, '{}', now() - interval '8 days', now() + interval '40 days', '' FROM generate_series(1, 300) AS n;

-- name: openings
INSERT INTO calendar_opening (calendar, opens_at, closes_at)
SELECT id, day + interval '-4 hours', day + CASE WHEN id % 5 = 0 THEN interval '-1 hour' ELSE interval '8 hours' END
FROM calendar, generate_series(now() - interval '7 days', now() + interval '39 days', interval '1 day') AS day;

-- name: stations
-- Spread over their counties; one in a hundred out of service, one in three with opening hours.
INSERT INTO station (id, name, name_en, area, isp, lat, lon, lifecycle, commissioned_at, calendar)
SELECT p || lpad(c::text, 4, '0') || lpad((n / 2790)::text, 4, '0'), '农家书屋' || n, NULL,
       p || lpad(c::text, 4, '0') || '000000', (ARRAY['a', 'b', 'c'])[n % 3 + 1],
       20 + (c / 10) * 0.6 + (p - 11) / 6 * 5 + random() * 0.5, 76 + (c % 10) * 0.7 + (p - 11) % 6 * 9 + random() * 0.6,
       CASE WHEN n % 100 = 7 THEN 'suspended' ELSE 'commissioned' END, now() - interval '300 days',
       CASE WHEN n % 3 = 0 THEN (SELECT min(id) FROM calendar) + n % 300 END
FROM (SELECT n, 11 + n % 31 AS p, 1 + n % 90 AS c FROM generate_series(0, $1::int - 1) AS n) AS made;

-- name: states
-- One in fifty offline, one in two hundred away, one in two hundred never heard; two shards.
INSERT INTO station_state (partition, station, state, since, usable, shard)
SELECT abs(hashtext(id)) % 24, id,
       CASE WHEN h % 50 = 1 THEN 'offline' WHEN h % 200 = 2 THEN 'away' ELSE 'online' END,
       now() - h % 100000 * interval '1 second', true, CASE WHEN h % 10 = 0 THEN 'north' ELSE 'main' END
FROM (SELECT id, abs(hashtext('x' || id)) AS h FROM station) AS s WHERE h % 200 <> 3;

-- name: terminals
INSERT INTO terminal (station, id, type) SELECT id, '001', 'kiosk' FROM station;
INSERT INTO terminal_state (station, terminal, partition, shard, state, since, seen_at, boot, run, conn, n, every, seen,
                            deadline, usable)
SELECT station, '001', partition, shard, state, since, now(), md5(station), 1, 1, 1, 60, 0, 0, true FROM station_state;

-- name: clocks
INSERT INTO partition_clock (partition, shard, clock, tick_at, judged_at, memory)
SELECT p, shard, 1000, clock_timestamp(), clock_timestamp(), '{}'
FROM generate_series(0, 23) AS p, unnest(ARRAY['main', 'north']) AS shard;

-- name: incidents
-- Every second station that is offline has one. The incident process writes the area of the station with it.
INSERT INTO incident (kind, key, station, area, status, began_at, opened_at, detail)
SELECT 'station_offline', 'station_offline:' || st.station, st.station, s.area, 'open', st.since, st.since, '{}'
FROM station_state st JOIN station s ON s.id = st.station WHERE st.state = 'offline' AND abs(hashtext(st.station)) % 2 = 0;

-- name: history
-- 200,000 that are over.
INSERT INTO incident (kind, key, station, area, status, began_at, opened_at, closed_at, ended_at, detail)
SELECT 'station_offline', 'station_offline:' || station, station, area, 'closed', at, at, at + interval '1 hour',
       at + interval '1 hour', '{}'
FROM (SELECT id AS station, area, now() - interval '1 day' * (1 + random() * 90) AS at FROM station LIMIT 200000) AS over;

-- name: blind_spots
-- 20,000 blind spots of stations, which are not notified.
INSERT INTO incident (kind, key, station, area, status, began_at, opened_at, detail)
SELECT 'blind_spot', 'blind_spot:dark:' || st.station, st.station, s.area, 'open', st.since, st.since,
       '{"kind": "dark", "clears": "heartbeat", "quiet": true}'
FROM station_state st JOIN station s ON s.id = st.station WHERE abs(hashtext('y' || st.station)) % 35 = 0;

-- name: closures
INSERT INTO closure (station, from_at, until_at, reason, declared_by, approved_by, approved_at)
SELECT station, now() - interval '1 day', now() + interval '1 day', 'bench', 'bench', 'bench', now()
FROM station_state WHERE state = 'offline' ORDER BY station LIMIT 1000;

-- name: keep_counts
-- What the incident process keeps.
INSERT INTO area_count (area, online, unusable, offline, away, closed, excused, never_seen, suspended)
SELECT up, count(*) FILTER (WHERE verdict = 'online'), count(*) FILTER (WHERE verdict = 'unusable'),
       count(*) FILTER (WHERE verdict = 'offline'),
       count(*) FILTER (WHERE verdict = 'away'), count(*) FILTER (WHERE verdict = 'closed'),
       count(*) FILTER (WHERE verdict = 'excused'), count(*) FILTER (WHERE verdict = 'never_seen'),
       count(*) FILTER (WHERE verdict = 'suspended')
FROM station_verdict v JOIN area a ON a.code = v.area CROSS JOIN LATERAL unnest(a.path) AS up GROUP BY up;

-- name: night
-- Every station is silent and closed.
UPDATE station_state SET state = 'offline' WHERE state = 'online';

-- name: shut_all
UPDATE station SET calendar = (SELECT min(id) FROM calendar WHERE id % 5 = 0);

-- name: tick
-- The clocks of all partitions are moved to now, but those of a dead shard ($1).
UPDATE partition_clock SET tick_at = clock_timestamp(), judged_at = clock_timestamp() WHERE shard <> $1;

-- name: tell
-- The incident process records that it keeps the counts.
INSERT INTO area_count_known (known_at, told_at) VALUES (clock_timestamp(), clock_timestamp())
ON CONFLICT (one) DO UPDATE SET told_at = clock_timestamp();
