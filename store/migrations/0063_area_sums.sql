-- Figures of areas with all areas below them, for dashboards: a year of days of 2,790 counties is a million rows, and a panel has 300 ms.
-- They follow every change of the figures of areas, in the same transaction.

-- A day of an area with all areas below it, under the path that the area had on this day.
CREATE TABLE area_day_sum (
    day            date NOT NULL,
    path           text[] NOT NULL,
    area           text NOT NULL GENERATED ALWAYS AS (path[cardinality(path)]) STORED,
    -- NULL: there is none.
    parent         text GENERATED ALWAYS AS (path[cardinality(path) - 1]) STORED,
    is_top         boolean NOT NULL GENERATED ALWAYS AS (cardinality(path) = 1) STORED,
    -- How many rows of area_day are in the sums.
    parts          bigint NOT NULL,
    scheduled_ms   bigint NOT NULL,
    excused_ms     bigint NOT NULL,
    unknown_ms     bigint NOT NULL,
    online_ms      bigint NOT NULL,
    service_due_ms bigint NOT NULL,
    usable_ms      bigint NOT NULL,
    PRIMARY KEY (day, path)
);

-- The same of frozen months.
CREATE TABLE area_month_sum (
    month          date NOT NULL,
    path           text[] NOT NULL,
    area           text NOT NULL GENERATED ALWAYS AS (path[cardinality(path)]) STORED,
    parent         text GENERATED ALWAYS AS (path[cardinality(path) - 1]) STORED,
    is_top         boolean NOT NULL GENERATED ALWAYS AS (cardinality(path) = 1) STORED,
    parts          bigint NOT NULL,
    scheduled_ms   bigint NOT NULL,
    excused_ms     bigint NOT NULL,
    unknown_ms     bigint NOT NULL,
    online_ms      bigint NOT NULL,
    service_due_ms bigint NOT NULL,
    usable_ms      bigint NOT NULL,
    PRIMARY KEY (month, path)
);

-- The statement that adds rows with a sign to the sums. `moment`: the column day or month; `rows`: a SELECT.
CREATE FUNCTION area_sums_statement(sums text, moment text, rows text) RETURNS text LANGUAGE sql STABLE
RETURN format($q$
    INSERT INTO %1$I AS t (%2$I, path, parts, scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms)
    SELECT c.%2$I, c.path[1:depth], sum(sign), sum(sign * scheduled_ms), sum(sign * excused_ms), sum(sign * unknown_ms),
           sum(sign * online_ms), sum(sign * service_due_ms), sum(sign * usable_ms)
    FROM (%3$s) AS c CROSS JOIN LATERAL generate_series(1, cardinality(c.path)) AS depth
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (%2$I, path) DO UPDATE SET
        parts = t.parts + excluded.parts, scheduled_ms = t.scheduled_ms + excluded.scheduled_ms,
        excused_ms = t.excused_ms + excluded.excused_ms, unknown_ms = t.unknown_ms + excluded.unknown_ms,
        online_ms = t.online_ms + excluded.online_ms, service_due_ms = t.service_due_ms + excluded.service_due_ms,
        usable_ms = t.usable_ms + excluded.usable_ms
$q$, sums, moment, rows);
REVOKE EXECUTE ON FUNCTION area_sums_statement(text, text, text) FROM PUBLIC;

-- Its arguments: the table of the sums, and the column day or month.
CREATE FUNCTION area_figures_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    rows text;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        EXECUTE format('TRUNCATE %I', TG_ARGV[0]);
        RETURN NULL;
    END IF;
    rows := concat_ws(' UNION ALL ',
        CASE WHEN TG_OP <> 'DELETE' THEN 'SELECT 1 AS sign, n.* FROM new_rows n' END,
        CASE WHEN TG_OP <> 'INSERT' THEN 'SELECT -1 AS sign, o.* FROM old_rows o' END);
    EXECUTE area_sums_statement(TG_ARGV[0], TG_ARGV[1], rows);
    IF TG_OP = 'DELETE' THEN
        EXECUTE format('DELETE FROM %I WHERE parts = 0 AND %I IN (SELECT %2$I FROM old_rows)', TG_ARGV[0], TG_ARGV[1]);
    END IF;
    RETURN NULL;
END $$;

DO $$
DECLARE
    of_sums record;
BEGIN
    EXECUTE format('ALTER FUNCTION area_figures_changed() SET search_path = %I, pg_temp', current_schema());
    FOR of_sums IN SELECT * FROM (VALUES ('area_day', 'area_day_sum', 'day'), ('area_month', 'area_month_sum', 'month'))
                   AS t (source, sums, moment) LOOP
        -- The sums of what is stored already.
        EXECUTE area_sums_statement(of_sums.sums, of_sums.moment, format('SELECT 1 AS sign, n.* FROM %I n', of_sums.source));
        EXECUTE format('CREATE INDEX ON %I (area, %I)', of_sums.sums, of_sums.moment);
        EXECUTE format('CREATE INDEX ON %I (parent, %I)', of_sums.sums, of_sums.moment);
        EXECUTE format('CREATE INDEX ON %I (%I) WHERE is_top', of_sums.sums, of_sums.moment);
        EXECUTE format('CREATE TRIGGER summed_new AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows '
                       'FOR EACH STATEMENT EXECUTE FUNCTION area_figures_changed(%L, %L)', of_sums.source, of_sums.sums, of_sums.moment);
        EXECUTE format('CREATE TRIGGER summed_changed AFTER UPDATE ON %I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows '
                       'FOR EACH STATEMENT EXECUTE FUNCTION area_figures_changed(%L, %L)', of_sums.source, of_sums.sums, of_sums.moment);
        EXECUTE format('CREATE TRIGGER summed_gone AFTER DELETE ON %I REFERENCING OLD TABLE AS old_rows '
                       'FOR EACH STATEMENT EXECUTE FUNCTION area_figures_changed(%L, %L)', of_sums.source, of_sums.sums, of_sums.moment);
        EXECUTE format('CREATE TRIGGER summed_all_gone AFTER TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION area_figures_changed(%L, %L)', of_sums.source, of_sums.sums, of_sums.moment);
    END LOOP;
END $$;

-- Also of incidents with a parent, because to the login of an area some of these have none.
DROP INDEX incident_area_opened;
CREATE INDEX incident_area_opened ON incident (area, opened_at);
