-- A day of use of 300,000 stations was compared station by station, because so many do not fit into the memory of `NOT IN`.

-- Make the sums of a day of some stations; NULL: of all. Statements are planned at each call, because the two differ.
CREATE OR REPLACE FUNCTION sum_usage_day(of_day date, stations text[]) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    began constant timestamptz := of_day::timestamp AT TIME ZONE 'UTC';
    of_month constant date := date_trunc('month', of_day::timestamp)::date;
    place constant integer := extract(day FROM of_day);
    bit constant integer := 1 << (place - 1);
    areas text[];
BEGIN
    IF EXISTS (SELECT FROM record_kept k WHERE k.kind = 'usage_day' AND k.since > began) THEN
        RETURN;
    END IF;
    EXECUTE $q$
        WITH used AS MATERIALIZED (
            SELECT station, least(coalesce(sum(sessions), 0), 1e12)::bigint AS sessions FROM usage_day
            WHERE began_at = $1 AND ($2 IS NULL OR station = ANY ($2)) GROUP BY station
        ), changed AS (
            UPDATE usage_month m SET days = m.days | $4, sessions = usage_with_day(m.sessions, $3, u.sessions)
            FROM used u
            WHERE m.month = $5 AND m.station = u.station
              AND (m.days & $4 = 0 OR m.sessions[$3] - coalesce(m.sessions[$3 - 1], 0) <> u.sessions)
        ), gone AS (
            UPDATE usage_month m SET days = m.days & ~$4, sessions = usage_with_day(m.sessions, $3, 0)
            WHERE m.month = $5 AND m.days & $4 <> 0 AND ($2 IS NULL OR m.station = ANY ($2))
              AND NOT EXISTS (SELECT FROM used u WHERE u.station = m.station)
        )
        INSERT INTO usage_month (month, station, days, sessions)
        SELECT $5, station, $4, usage_with_day(array_fill(0::bigint, ARRAY[31]), $3, u.sessions) FROM used u
        WHERE NOT EXISTS (SELECT FROM usage_month m WHERE m.month = $5 AND m.station = u.station)
    $q$ USING began, stations, place, bit, of_month;
    IF stations IS NULL THEN
        DELETE FROM usage_area_day WHERE day = of_day;
        EXECUTE $q$
            INSERT INTO usage_area_day (day, area, sessions, minutes, bytes)
            SELECT $2, coalesce(s.area, ''), coalesce(sum(u.sessions), 0), coalesce(sum(u.minutes), 0), coalesce(sum(u.bytes), 0)
            FROM usage_day u JOIN station s ON s.id = u.station WHERE u.began_at = $1 GROUP BY 2
        $q$ USING began, of_day;
    ELSE
        areas := ARRAY(SELECT DISTINCT coalesce(s.area, '') FROM station s WHERE s.id = ANY (stations));
        DELETE FROM usage_area_day WHERE day = of_day AND area = ANY (areas);
        EXECUTE $q$
            INSERT INTO usage_area_day (day, area, sessions, minutes, bytes)
            SELECT $2, coalesce(s.area, ''), coalesce(sum(u.sessions), 0), coalesce(sum(u.minutes), 0), coalesce(sum(u.bytes), 0)
            FROM station s JOIN usage_day u ON u.station = s.id AND u.began_at = $1
            WHERE s.area = ANY ($3) OR s.area IS NULL AND '' = ANY ($3) GROUP BY 2
        $q$ USING began, of_day, areas;
    END IF;
END $$;
