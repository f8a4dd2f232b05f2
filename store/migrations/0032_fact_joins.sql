-- Functions keep the plan of their first call, which for one row is a nested loop, and then took minutes for the 100,000 rows
-- of an import. A full join is never one.

CREATE OR REPLACE FUNCTION station_facts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO registry_fact (kind, subject, effective_at, whole, fields)
        SELECT 'station', id, fact_effective_at(), true,
               station_fields(area, kind, lifecycle, quorum, commissioned_at)
        FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO registry_fact (kind, subject, effective_at, whole)
        SELECT 'station', id, fact_effective_at(), true FROM old_rows;
    ELSE
        -- Ids do not change by any query of ours; by hand the one ends and the other begins.
        WITH changed AS MATERIALIZED (
            SELECT n.id, n.kind, n.area, o.id AS was, o.kind AS old_kind, o.area AS old_area,
                   n.lifecycle, o.lifecycle AS old_lifecycle, n.quorum, o.quorum AS old_quorum,
                   n.commissioned_at, o.commissioned_at AS old_commissioned_at
            FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
            WHERE (n.id, n.area, n.kind, n.lifecycle, n.quorum, n.commissioned_at)
                IS DISTINCT FROM (o.id, o.area, o.kind, o.lifecycle, o.quorum, o.commissioned_at)
        ), renewed AS (
            SELECT id,
                   CASE WHEN kind IS DISTINCT FROM old_kind THEN jsonb_build_object('kind', kind) ELSE '{}' END
                || CASE WHEN lifecycle <> old_lifecycle THEN jsonb_build_object('lifecycle', lifecycle) ELSE '{}' END
                || CASE WHEN quorum <> old_quorum THEN jsonb_build_object('quorum', quorum) ELSE '{}' END
                || CASE WHEN commissioned_at IS DISTINCT FROM old_commissioned_at
                        THEN jsonb_build_object('commissioned_at', fact_moment(commissioned_at)) ELSE '{}' END AS fields
            FROM changed WHERE id = was)
        INSERT INTO registry_fact (kind, subject, effective_at, whole, fields)
        SELECT 'station', id, fact_effective_at(), false, fields FROM renewed WHERE fields <> '{}'
        UNION ALL
        SELECT 'station', id,
               next_local_midnight(fact_effective_at(), station_zone(id, kind, fact_effective_at())),
               false, jsonb_build_object('area', area)
        FROM changed WHERE id = was AND area IS DISTINCT FROM old_area
        UNION ALL
        SELECT 'station', was, fact_effective_at(), true, NULL FROM changed WHERE id IS NULL
        UNION ALL
        SELECT 'station', id, fact_effective_at(), true,
               station_fields(area, kind, lifecycle, quorum, commissioned_at)
        FROM changed WHERE was IS NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION area_facts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO registry_fact (kind, subject, effective_at, whole, fields)
        SELECT 'area', code, fact_effective_at(), true, area_fields(path, valid_from, valid_to, successor)
        FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO registry_fact (kind, subject, effective_at, whole)
        SELECT 'area', code, fact_effective_at(), true FROM old_rows;
    ELSE
        WITH changed AS MATERIALIZED (
            SELECT n.code, n.path, n.valid_from, n.valid_to, n.successor, o.code AS was, o.path AS old_path,
                   o.valid_from AS old_valid_from, o.valid_to AS old_valid_to, o.successor AS old_successor
            FROM new_rows n FULL JOIN old_rows o ON o.code = n.code
            WHERE (n.code, n.path, n.valid_from, n.valid_to, n.successor)
                IS DISTINCT FROM (o.code, o.path, o.valid_from, o.valid_to, o.successor)
        ), renewed AS (
            SELECT code,
                   CASE WHEN valid_from IS DISTINCT FROM old_valid_from
                        THEN jsonb_build_object('valid_from', valid_from) ELSE '{}' END
                || CASE WHEN valid_to IS DISTINCT FROM old_valid_to
                        THEN jsonb_build_object('valid_to', valid_to) ELSE '{}' END
                || CASE WHEN successor IS DISTINCT FROM old_successor
                        THEN jsonb_build_object('successor', successor) ELSE '{}' END AS fields
            FROM changed WHERE code = was)
        INSERT INTO registry_fact (kind, subject, effective_at, whole, fields)
        SELECT 'area', code, fact_effective_at(), false, fields FROM renewed WHERE fields <> '{}'
        UNION ALL
        SELECT 'area', code, next_local_midnight(fact_effective_at(), 'Asia/Shanghai'), false,
               jsonb_build_object('path', path)
        FROM changed WHERE code = was AND path <> old_path
        UNION ALL
        SELECT 'area', was, fact_effective_at(), true, NULL FROM changed WHERE code IS NULL
        UNION ALL
        SELECT 'area', code, fact_effective_at(), true, area_fields(path, valid_from, valid_to, successor)
        FROM changed WHERE was IS NULL;
    END IF;
    RETURN NULL;
END $$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION station_facts() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION area_facts() SET search_path = %I, pg_temp', current_schema());
END $$;
