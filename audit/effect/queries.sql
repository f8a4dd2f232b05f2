-- name: records_kept_since
-- Since when records or figures of a kind ($1) are kept; null: nothing was deleted yet.
SELECT since FROM record_kept WHERE kind = $1;

-- name: use_of_stations
-- Sums of use of stations ($1) over local days ($2 to before $3, by the time of China) on which they were in some areas ($4; null:
-- all): one row for each station, then one for each day of all these stations.
WITH own AS MATERIALIZED (
    SELECT DISTINCT station, day FROM station_day
    WHERE station = ANY ($1::text[]) AND day >= $2 AND day < $3 AND ($4::text[] IS NULL OR path && $4)
), used AS (
    SELECT u.station, (u.began_at AT TIME ZONE 'Asia/Shanghai')::date AS day, u.samples, u.sessions, u.minutes, u.bytes
    FROM usage_hour u
    WHERE u.station = ANY ($1::text[]) AND u.began_at >= $2::timestamp AT TIME ZONE 'Asia/Shanghai'
      AND u.began_at < $3::timestamp AT TIME ZONE 'Asia/Shanghai'
)
SELECT station, day, sum(samples)::bigint AS samples, sum(sessions) AS sessions, sum(minutes) AS minutes, sum(bytes) AS bytes
FROM used JOIN own USING (station, day) GROUP BY GROUPING SETS ((station), (day)) ORDER BY station, day;

-- name: use_by_property
-- Visits of stations ($1) by category and by language over the same days. No rollup has these, so they come from the records.
WITH own AS MATERIALIZED (
    SELECT DISTINCT station, day FROM station_day
    WHERE station = ANY ($1::text[]) AND day >= $2 AND day < $3 AND ($4::text[] IS NULL OR path && $4)
)
SELECT property.key AS property, part.key AS value, sum(part.value::numeric) AS sessions
FROM usage u
JOIN own ON own.station = u.station AND own.day = (u.ts AT TIME ZONE 'Asia/Shanghai')::date
CROSS JOIN LATERAL jsonb_each(u.by) AS property CROSS JOIN LATERAL jsonb_each_text(property.value) AS part
WHERE u.station = ANY ($1::text[]) AND u.ts >= $2::timestamp AT TIME ZONE 'Asia/Shanghai'
  AND u.ts < $3::timestamp AT TIME ZONE 'Asia/Shanghai' AND property.key IN ('category', 'language')
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: terminals_of_stations
-- The terminals of stations ($1) that sent records from $2 to before $4, and of these the ones that did from $3 on.
SELECT station, count(*)::int AS known, (count(*) FILTER (WHERE last >= $3))::int AS working
FROM (
    SELECT station, terminal, max(began_at) AS last
    FROM (
        SELECT station, terminal, began_at FROM health_day
        WHERE station = ANY ($1::text[]) AND began_at >= $2 AND began_at < $4
        UNION ALL
        SELECT station, terminal, began_at FROM usage_day
        WHERE station = ANY ($1::text[]) AND began_at >= $2 AND began_at < $4
    ) AS sent GROUP BY 1, 2
) AS terminals GROUP BY 1;

-- name: packages_of_stations
-- The content packages in the newest inventories of the terminals of stations ($1) before $2: of each its bytes and its stations.
WITH newest AS (
    SELECT DISTINCT ON (station, terminal) station, resources FROM inventory
    WHERE station = ANY ($1::text[]) AND ts < $2 AND resources IS NOT NULL ORDER BY station, terminal, ts DESC
)
SELECT package->>'id' AS id, coalesce(package->>'lang', '') AS language, coalesce(max((package->>'bytes')::numeric), 0) AS bytes,
       count(DISTINCT station)::int AS stations
FROM newest CROSS JOIN LATERAL jsonb_array_elements(resources) AS package GROUP BY 1, 2 ORDER BY 1, 2;
