-- What the services may do in the database, and nothing else. Run after the migrations, each time: what is as it should
-- be is not touched. The services log in as members of milepost_service, which owns nothing.

-- A role belongs to the whole server: it may be there already, made by another database or at this very moment. Where
-- migrations may not create roles the database's administrator does, and runs `milepost migrate` again.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_service') THEN
        CREATE ROLE milepost_service NOLOGIN;
    END IF;
EXCEPTION
    WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
        RAISE NOTICE 'the role milepost_service was not created here: %', SQLERRM;
END $$;

DO $$
DECLARE
    -- What only people at the database change (which migrations ran, which stations they deleted) and what only triggers
    -- write with the rights of the owner (the facts of the registry).
    kept constant text[] := '{registry_fact, schema_migration, station_deleted}';
    -- What happened is written down once.
    written_once constant text[] := '{command_reply, event, health, health_change, incident_entry, inventory, '
        'ledger_entry, pipeline_gap, presence, shard_decision, shard_move, station_lifecycle, topic_layout, transition, usage}';
    -- What they add to and never look at: only what seals entries of the ledger takes them away.
    added_to constant text[] := '{ledger_pending}';
    -- What is forgotten again.
    cleared constant text[] := '{account_area, blind_spot_memory, calendar, calendar_opening, cause_memory, '
        'dead_letter, flapping_memory, health_state, known_place, service_sign, session, set_aside, signin_code, station_programme, '
        'unregistered}';
    found record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_service') THEN
        RETURN;
    END IF;
    IF NOT has_schema_privilege('milepost_service', current_schema(), 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO milepost_service', current_schema());
    END IF;
    FOR found IN
        SELECT c.oid::regclass AS name,
               CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
               CASE WHEN c.relkind = 'S' THEN 'USAGE'
                    WHEN c.relkind = 'v' OR c.relname = ANY (kept) THEN 'SELECT'
                    WHEN c.relname = ANY (added_to) THEN 'INSERT'
                    WHEN c.relname = ANY (written_once) THEN 'INSERT, SELECT'
                    WHEN c.relname = ANY (cleared) THEN 'DELETE, INSERT, SELECT, UPDATE'
                    ELSE 'INSERT, SELECT, UPDATE' END AS wanted,
               (SELECT string_agg(privilege_type, ', ' ORDER BY privilege_type) FROM aclexplode(c.relacl)
                WHERE grantee = 'milepost_service'::regrole) AS had
        FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
          AND pg_has_role(c.relowner, 'USAGE')
          AND NOT EXISTS (SELECT FROM pg_depend d
                          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    LOOP
        IF found.wanted IS DISTINCT FROM found.had THEN
            EXECUTE format('REVOKE ALL ON %s %s FROM milepost_service', found.kind, found.name);
            EXECUTE format('GRANT %s ON %s %s TO milepost_service', found.wanted, found.kind, found.name);
        END IF;
    END LOOP;
    -- The one way in which they delete a station.
    FOR found IN
        SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname = 'remove_untouched_station'
          AND pg_has_role(proowner, 'USAGE') AND NOT has_function_privilege('milepost_service', oid, 'EXECUTE')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO milepost_service', found.name);
    END LOOP;
END $$;
