-- name: areas_above
-- The areas of these codes and all above them.
SELECT code, level, path FROM area
WHERE code IN (SELECT unnest(path) FROM area WHERE code = ANY ($1::text[]));

-- name: area_middles
-- The median place of the stations in each of the areas ($1) and below them, without some stations ($2).
SELECT up.code, count(*) AS stations, percentile_cont(0.5) WITHIN GROUP (ORDER BY s.lat) AS lat,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY s.lon) AS lon
FROM station s JOIN area a ON a.code = s.area CROSS JOIN LATERAL unnest(a.path) AS up (code)
WHERE a.path && $1::text[] AND s.lat IS NOT NULL AND s.lon IS NOT NULL AND up.code = ANY ($1::text[])
  AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS without (id) WHERE without.id = s.id)
GROUP BY up.code;

-- name: ids_with_zeros
-- Stations, registered or only heard, whose id is one of these numbers with zeros before it.
SELECT ltrim(id, '0') AS bare, min(id) AS id
FROM (SELECT id FROM station WHERE id ~ '^0[0-9]+$' UNION SELECT station FROM unregistered WHERE station ~ '^0[0-9]+$')
    AS zero_led
WHERE ltrim(id, '0') = ANY ($1::text[]) GROUP BY 1;

-- name: longest_zero_ids
-- The longest id of digits that begins with zero, by area.
SELECT DISTINCT ON (area) area, id FROM station
WHERE area = ANY ($1::text[]) AND id ~ '^0[0-9]+$' ORDER BY area, length(id) DESC, id;
