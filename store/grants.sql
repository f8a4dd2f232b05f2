-- What the services and the API may do in the database, and nothing else. Run after the migrations, store/roles.sql and
-- store/scoped.sql, each time: what is as it should be is not touched. Logins come in as members of milepost_service or go
-- into milepost_api, which own nothing.

DO $$
DECLARE
    -- What only people at the database change (which migrations ran, which stations they deleted) and what only triggers
    -- write with the rights of the owner (the facts of the registry), or only the process that seals the ledger.
    -- Or only the process that keeps the days.
    kept constant text[] := '{area_day, area_day_sum, area_month, area_month_sum, day_figure, day_member, day_seen, day_share, day_state, day_touch, day_wake, '
        'health_day, health_hour, month_frozen, record_kept, share_day, usage_area_day, usage_day, usage_due, usage_hour, usage_month, ledger_checkpoint, ledger_head, ledger_run, ledger_tile, made_up_history, registry_fact, schema_migration, '
        'station_deleted}';
    -- What happened is written down once.
    written_once constant text[] := '{command_reply, event, health, health_change, incident_entry, inventory, '
        'assessment, ledger_entry, link, link_key, photo, pipeline_gap, presence, shard_decision, shard_move, station_lifecycle, topic_layout, transition, usage}';
    -- Tables in which the services only insert rows: only the seal, the deletion of a text and the figures by hour
    -- delete these rows.
    added_to constant text[] := '{ledger_pending, ledger_salt, rollup_touch}';
    -- What is closed to them: sign-in, and what accounts may see. Of accounts they read names, below.
    closed constant text[] := '{account, account_area, api_token, channel_key, dashboard_login, known_place, link_post, session, signin_code}';
    -- What is forgotten again.
    cleared constant text[] := '{area_succession, blind_spot_memory, calendar, calendar_opening, cause_memory, '
        'dead_letter, duty, duty_substitute, contact_channel, escalation_wake, flapping_memory, health_state, incident_share_ack, '
        'attempt, message, message_page, message_template, page, route, service_sign, set_aside, station_programme, unregistered}';
    functions constant text[] := '{channel_fingerprint, forget_links, forget_notifications, give_contact_account, is_beyond_account, '
        'remove_untouched_station}';
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
                    WHEN c.relname = ANY (closed) THEN NULL
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
            IF found.wanted IS NOT NULL THEN
                EXECUTE format('GRANT %s ON %s %s TO milepost_service', found.wanted, found.kind, found.name);
            END IF;
        END IF;
    END LOOP;
    -- For the account that gives a command, and for the names in notifications.
    IF to_regclass('account') IS NOT NULL AND NOT has_column_privilege('milepost_service', 'account', 'name', 'SELECT') THEN
        GRANT SELECT (id, login, name, role, disabled_at) ON account TO milepost_service;
    END IF;
    -- The one way in which they delete a station, and that in which they make an account.
    FOR found IN
        SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname = ANY (functions)
          AND pg_has_role(proowner, 'USAGE') AND NOT has_function_privilege('milepost_service', oid, 'EXECUTE')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO milepost_service', found.name);
    END LOOP;
END $$;

-- The same for the API. Rows are within its scope by the policies and views of store/scoped.sql; what is `common` has nothing
-- of a station or an area in it. A table that is not named here is closed to the API.
DO $$
DECLARE
    wanted constant jsonb := '{
        "SELECT": ["schema_migration", "link_key", "programme", "consumer_offset", "log_end", "pipeline_gap", "calendar",
                   "calendar_opening", "calendar_now", "day_class", "area_count_known",
                   "ledger_checkpoint", "ledger_head", "ledger_run", "ledger_tile",
                   "day_state", "made_up_history", "record_kept", "share_day", "month_frozen", "day_figure", "day_member", "area_day", "area_month",
                   "station_day", "station_day_revision",
                   "area", "escalation", "share_escalation", "target", "page", "message_page", "terminal", "station_programme", "station_state", "terminal_state", "suspicion_member",
                   "scoped.set_aside", "scoped.station_stand", "scoped.station_aside",
                   "scoped.transition", "scoped.health_change", "scoped.health", "scoped.usage",
                   "scoped.health_hour", "scoped.health_day", "scoped.usage_hour", "scoped.usage_day", "scoped.presence", "scoped.inventory", "scoped.dead_letter",
                   "scoped.unregistered", "scoped.shard_move", "scoped.registry_fact", "scoped.area_count", "scoped.partition_clock", "scoped.suspicion",
                   "incident_share", "scoped.seen_share", "scoped.shared_incident", "scoped.shared_entry"],
        "SELECT, UPDATE": ["station", "incident", "link"],
        "INSERT, SELECT": ["assessment", "incident_entry", "link_post", "notification", "photo", "scoped.station_lifecycle", "scoped.shard_decision",
                           "scoped.ledger_entry"],
        "INSERT": ["ledger_pending", "ledger_salt"],
        "DELETE, INSERT": ["contact_channel"],
        "INSERT, SELECT, UPDATE": ["incident_share_ack", "announced_restart", "closure", "contact", "correction", "finding", "repair", "silence", "account", "api_token"],
        "DELETE, INSERT, SELECT": ["account_area"],
        "DELETE, INSERT, SELECT, UPDATE": ["duty", "duty_substitute", "message_template", "route", "service_sign", "session", "signin_code", "known_place"]}';
    functions constant text[] := '{scope_areas, scope_names, scope_tops, scope_programmes, scope_holds_account, areas_below, '
        'channel_fingerprint, scoped.give_contact_account, scoped.is_beyond_account, scoped.scope_stations, scoped.entry_below, scoped.is_in_scope, scoped.station_has_history, scoped.remove_untouched_station}';
    found record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_api') OR to_regnamespace('scoped') IS NULL THEN
        RETURN;
    END IF;
    FOR found IN
        SELECT n.oid::regnamespace AS name FROM pg_namespace n
        WHERE n.nspname IN (current_schema(), 'scoped') AND NOT has_schema_privilege('milepost_api', n.oid, 'USAGE')
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %s TO milepost_api', found.name);
    END LOOP;
    FOR found IN
        SELECT c.oid::regclass AS name, w.rights AS wanted,
               (SELECT string_agg(privilege_type, ', ' ORDER BY privilege_type) FROM aclexplode(c.relacl)
                WHERE grantee = 'milepost_api'::regrole) AS had
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN (SELECT each.key AS rights, named.value AS name
                   FROM jsonb_each(wanted) AS each, jsonb_array_elements_text(each.value) AS named) AS w
               ON w.name = CASE n.nspname WHEN 'scoped' THEN 'scoped.' ELSE '' END || c.relname
        WHERE n.nspname IN (current_schema(), 'scoped') AND c.relkind IN ('r', 'p', 'v') AND pg_has_role(c.relowner, 'USAGE')
    LOOP
        IF found.had IS NOT NULL AND found.wanted IS DISTINCT FROM found.had THEN
            EXECUTE format('REVOKE ALL ON %s FROM milepost_api', found.name);
        END IF;
        IF found.wanted IS NOT NULL AND found.wanted IS DISTINCT FROM found.had THEN
            EXECUTE format('GRANT %s ON %s TO milepost_api', found.wanted, found.name);
        END IF;
    END LOOP;
    -- Everything of a channel but its address, which is secret.
    IF to_regclass('contact_channel') IS NOT NULL
       AND NOT has_column_privilege('milepost_api', 'contact_channel', 'fingerprint', 'SELECT') THEN
        GRANT SELECT (contact, place, kind, fingerprint) ON contact_channel TO milepost_api;
    END IF;
    -- By which kind of channel a page was sent, and how that went; not what it said.
    IF to_regclass('message') IS NOT NULL AND NOT has_column_privilege('milepost_api', 'message', 'kind', 'SELECT') THEN
        GRANT SELECT (id, kind, status, created_at, settled_at) ON message TO milepost_api;
    END IF;
    FOR found IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE CASE n.nspname WHEN 'scoped' THEN 'scoped.' WHEN current_schema() THEN '' END || p.proname = ANY (functions)
          AND pg_has_role(p.proowner, 'USAGE') AND NOT has_function_privilege('milepost_api', p.oid, 'EXECUTE')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO milepost_api', found.name);
    END LOOP;
END $$;

-- The process that seals the ledger and keeps the days reads what is sealed and what days are made of, and alone takes away
-- from what waits for its seal.
DO $$
DECLARE
    wanted constant jsonb := '{
        "SELECT": ["schema_migration", "correction", "health_change", "pipeline_gap", "transition", "presence", "partition_clock",
                   "record_kept", "registry_fact", "rollup_touch", "schedule", "shard_move", "station_day", "station_day_revision", "station_state",
                   "suspicion_member", "terminal_state", "usage_due"],
        "INSERT, SELECT": ["ledger_checkpoint", "ledger_entry", "ledger_run", "ledger_tile", "day_figure", "share_day",
                           "month_frozen", "area_month"],
        "INSERT": ["ledger_salt"],
        "DELETE, INSERT, SELECT": ["ledger_pending"],
        "DELETE, SELECT, UPDATE": ["day_touch"],
        "INSERT, SELECT, UPDATE": ["ledger_head", "area_day", "day_seen", "day_share", "day_state"],
        "DELETE, INSERT, SELECT, UPDATE": ["service_sign", "set_aside", "day_member", "day_wake"]}';
    routines constant text[] := '{forget_boots, forget_records, roll_up_records}';
    found record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_audit') THEN
        RETURN;
    END IF;
    IF NOT has_schema_privilege('milepost_audit', current_schema(), 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO milepost_audit', current_schema());
    END IF;
    FOR found IN
        SELECT c.oid::regclass AS name, w.rights AS wanted,
               (SELECT string_agg(privilege_type, ', ' ORDER BY privilege_type) FROM aclexplode(c.relacl)
                WHERE grantee = 'milepost_audit'::regrole) AS had
        FROM pg_class c
        LEFT JOIN (SELECT each.key AS rights, named.value AS name
                   FROM jsonb_each(wanted) AS each, jsonb_array_elements_text(each.value) AS named) AS w ON w.name = c.relname
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v') AND pg_has_role(c.relowner, 'USAGE')
    LOOP
        IF found.had IS NOT NULL AND found.wanted IS DISTINCT FROM found.had THEN
            EXECUTE format('REVOKE ALL ON %s FROM milepost_audit', found.name);
        END IF;
        IF found.wanted IS NOT NULL AND found.wanted IS DISTINCT FROM found.had THEN
            EXECUTE format('GRANT %s ON %s TO milepost_audit', found.wanted, found.name);
        END IF;
    END LOOP;
    FOR found IN
        SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname = ANY (routines)
          AND pg_has_role(proowner, 'USAGE') AND NOT has_function_privilege('milepost_audit', oid, 'EXECUTE')
    LOOP
        EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO milepost_audit', found.name);
    END LOOP;
    -- For the accounts that rotate a key.
    IF to_regclass('account') IS NOT NULL AND NOT has_column_privilege('milepost_audit', 'account', 'login', 'SELECT') THEN
        GRANT SELECT (id, login, disabled_at) ON account TO milepost_audit;
    END IF;
END $$;
