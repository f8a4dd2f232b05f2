-- The groups, into which logins are put: of the services, of the API, of the process that seals the ledger, and of dashboards
-- about some areas. They own nothing. Run after the migrations, each time.

-- A role belongs to the whole server: it may be there already, made by another database or at this very moment. Where
-- migrations may not create roles the database's administrator does, and runs `milepost migrate` again.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['milepost_service', 'milepost_api', 'milepost_audit', 'milepost_area_reader'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION
            WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
                RAISE NOTICE 'the role % was not created here: %', wanted, SQLERRM;
        END;
    END LOOP;
END $$;

-- Until the API has a login of its own, it uses that of the services or that of the owner: these may become milepost_api,
-- without having its rights otherwise.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT r.rolname AS login FROM pg_roles r, pg_roles api
        WHERE api.rolname = 'milepost_api' AND r.rolcanlogin AND NOT r.rolsuper
          AND (r.rolname = current_user
               OR EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles s ON s.oid = m.roleid
                          WHERE m.member = r.oid AND s.rolname = 'milepost_service')
                  AND NOT EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles own ON own.oid = m.member
                                  WHERE m.roleid = api.oid AND m.inherit_option AND own.rolcanlogin))
          AND NOT EXISTS (SELECT FROM pg_auth_members m WHERE m.roleid = api.oid AND m.member = r.oid AND m.set_option)
    LOOP
        BEGIN
            EXECUTE format('GRANT milepost_api TO %I WITH INHERIT FALSE, SET TRUE', found.login);
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'milepost_api was not given to % here: %', found.login, SQLERRM;
        END;
    END LOOP;
END $$;
