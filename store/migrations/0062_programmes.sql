-- Areas that follow others: a merger is several old areas with one new one, a split is one old area with several new ones, and a
-- renumbering is one of each. An area that keeps its code follows itself. Promises of programmes are measured through these.
CREATE TABLE area_succession (
    -- Codes, not references: the registry may never have had an area that ended long ago.
    old_code text NOT NULL CHECK (old_code ~ '^[0-9A-Za-z]{1,32}$'),
    new_code text NOT NULL CHECK (new_code ~ '^[0-9A-Za-z]{1,32}$'),
    -- The first day of the new area.
    on_day   date NOT NULL,
    PRIMARY KEY (old_code, new_code)
);

-- The facts have them too, so that a past day can be computed again: subject is the old code, {new code: first day}.
ALTER TABLE registry_fact DROP CONSTRAINT registry_fact_kind_check;
ALTER TABLE registry_fact ADD CONSTRAINT registry_fact_kind_check CHECK (kind IN (
    'station', 'terminal', 'programme', 'schedule', 'override', 'closure', 'kind_schedule', 'kind_override', 'area', 'area_override',
    'area_closure', 'programme_closure', 'country_override', 'day_class', 'succession'));

CREATE FUNCTION area_succession_facts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO registry_fact (kind, subject, effective_at, fields)
        SELECT 'succession', old_code, local_day_start(on_day, 'Asia/Shanghai'), jsonb_object_agg(new_code, on_day)
        FROM new_rows GROUP BY old_code, on_day;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO registry_fact (kind, subject, effective_at, fields)
        SELECT 'succession', old_code, local_day_start(on_day, 'Asia/Shanghai'), jsonb_object_agg(new_code, NULL)
        FROM old_rows GROUP BY old_code, on_day;
    ELSE
        INSERT INTO registry_fact (kind, subject, effective_at, fields)
        SELECT 'succession', old_code, local_day_start(coalesce(n.on_day, o.on_day), 'Asia/Shanghai'),
               jsonb_object_agg(new_code, n.on_day)
        FROM new_rows n FULL JOIN old_rows o USING (old_code, new_code)
        WHERE n.on_day IS DISTINCT FROM o.on_day
        GROUP BY old_code, coalesce(n.on_day, o.on_day);
    END IF;
    RETURN NULL;
END $$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION area_succession_facts() SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE EXECUTE ON FUNCTION area_succession_facts() FROM PUBLIC;
CREATE TRIGGER facts_of_new AFTER INSERT ON area_succession REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION area_succession_facts();
CREATE TRIGGER facts_of_changed AFTER UPDATE ON area_succession REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION area_succession_facts();
CREATE TRIGGER facts_of_gone AFTER DELETE ON area_succession REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION area_succession_facts();
CREATE TRIGGER facts_not_of_truncate BEFORE TRUNCATE ON area_succession
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_registry_truncate();

-- A promise of content may be about one language.
ALTER TABLE target ADD COLUMN language text;
