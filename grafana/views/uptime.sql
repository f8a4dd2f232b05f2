-- Figures as docs/uptime.md defines them. Days are the local days of the stations. A frozen month that lies in the time range
-- as a whole counts as it was frozen, as in the console and in reports.

-- name: figures
-- Of the chosen area and all below it in the time range.
WITH {standing}
SELECT {rates d}, sum(d.unknown_ms)::float8 / 3600000 AS unknown_h, sum(d.excused_ms)::float8 / 3600000 AS excused_h
FROM standing d WHERE {at_area d};

-- name: by_day
SELECT d.day::timestamp AT TIME ZONE '{zone}' AS "time", {rates d}
FROM area_day_sum d WHERE d.day BETWEEN {first_day} AND {last_day} AND {at_area d}
GROUP BY d.day ORDER BY d.day LIMIT 5000;

-- name: by_month
-- Whole months of the range; frozen ones as they were frozen, which later days do not change.
SELECT to_char(m.month, 'YYYY-MM') AS month, {rates m}, sum(m.unknown_ms)::float8 / 3600000 AS unknown_h, m.frozen
FROM (SELECT date_trunc('month', d.day::timestamp)::date AS month, false AS frozen, d.area, d.is_top, d.scheduled_ms, d.excused_ms,
             d.unknown_ms, d.online_ms, d.service_due_ms, d.usable_ms
      FROM area_day_sum d
      WHERE d.day >= date_trunc('month', ({first_day})::timestamp)::date
        AND d.day < (date_trunc('month', ({last_day})::timestamp) + interval '1 month')::date
        AND NOT EXISTS (SELECT FROM month_frozen f WHERE f.month = date_trunc('month', d.day::timestamp)::date)
      UNION ALL
      SELECT a.month, true, a.area, a.is_top, a.scheduled_ms, a.excused_ms, a.unknown_ms, a.online_ms, a.service_due_ms, a.usable_ms
      FROM area_month_sum a
      WHERE a.month >= date_trunc('month', ({first_day})::timestamp)::date AND a.month <= {last_day}) AS m
WHERE {at_area m}
GROUP BY m.month, m.frozen ORDER BY m.month DESC LIMIT 240;

-- name: ranking
-- The areas below the chosen one, the lowest online rate first; those in which nothing was due come last.
WITH {standing}
SELECT coalesce(a.{name}, a.name, part) AS area, online_rate, service_rate, coverage, lost_h, unknown_h, {levels a}
FROM (SELECT d.area AS part, {rates d},
             sum(d.scheduled_ms - d.excused_ms - d.unknown_ms - d.online_ms)::float8 / 3600000 AS lost_h,
             sum(d.unknown_ms)::float8 / 3600000 AS unknown_h
      FROM standing d WHERE {below_area d}
      GROUP BY 1) AS ranked LEFT JOIN area a ON a.code = part
ORDER BY online_rate NULLS LAST, part LIMIT 500;

-- name: revisions
-- What became known later: days of stations with a further revision, and by how much their rate changed.
SELECT f.station, s.name, to_char(f.day, 'YYYY-MM-DD') AS day, f.revision,
       (SELECT string_agg({cause_words}, '; ') FROM unnest(f.causes) AS cause) AS causes,
       trunc(b.online_ms::numeric / nullif(b.scheduled_ms - b.excused_ms - b.unknown_ms, 0), 4)::float8 AS before,
       trunc(f.online_ms::numeric / nullif(f.scheduled_ms - f.excused_ms - f.unknown_ms, 0), 4)::float8 AS after,
       f.recorded_at AS recorded
FROM day_figure f JOIN station s ON s.id = f.station
LEFT JOIN station_day_revision b ON b.station = f.station AND b.day = f.day AND b.revision = f.revision - 1
WHERE f.revision > 1 AND f.day BETWEEN {first_day} AND {last_day} AND {on_path f}
ORDER BY f.recorded_at DESC, f.station, f.day LIMIT 200;

-- name: checkpoint
-- The newest signed checkpoint of the ledger, and up to which day figures are kept.
SELECT c.size AS entries, split_part(c.note, E'\n', 3) AS root, c.signed_at AS signed,
       (SELECT to_char(last_day, 'YYYY-MM-DD') FROM day_state) AS kept_until
FROM ledger_checkpoint c ORDER BY c.signed_at DESC, c.size DESC LIMIT 1;
