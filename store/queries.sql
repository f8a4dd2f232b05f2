-- name: try_leader_lock
-- The session holds the lock until the session ends.
SELECT pg_try_advisory_lock($1);

-- name: limit_leader
-- The server ends the session of a leader that hangs, so that a standby can take over. Set before the lock is taken.
-- (PostgreSQL 16 has no transaction_timeout.)
SELECT set_config(name, $1, false) FROM pg_settings
WHERE name IN ('idle_session_timeout', 'idle_in_transaction_session_timeout') OR $2 AND name = 'transaction_timeout';

-- name: keep_partitions
-- The first reader of a topic stores the number by which stations are spread over partitions.
INSERT INTO topic_layout (topic, partitions) VALUES ($1, $2) ON CONFLICT (topic) DO NOTHING;

-- name: kept_partitions
SELECT partitions FROM topic_layout WHERE topic = $1;

-- name: lock_offset
-- Which log the stored offset belongs to; the row stays locked until it is claimed.
SELECT log FROM consumer_offset WHERE consumer = $1 AND topic = $2 AND partition = $3 FOR UPDATE;

-- name: claim_offset
-- A higher owner epoch fences the previous owner; an offset of another log has no meaning in this one.
INSERT INTO consumer_offset AS o (consumer, topic, partition, log, next_offset, owner, instance)
VALUES ($1, $2, $3, $4, 0, 1, $5)
ON CONFLICT (consumer, topic, partition) DO UPDATE SET
    owner = o.owner + 1,
    instance = excluded.instance,
    next_offset = CASE WHEN o.log = excluded.log THEN o.next_offset ELSE 0 END,
    log = excluded.log,
    updated_at = now()
RETURNING owner, next_offset;

-- name: advance_offsets
-- Compare and set: a row with another offset or owner is not returned, and the caller gives up.
UPDATE consumer_offset AS o
SET next_offset = m.new, updated_at = now()
FROM unnest($3::int[], $4::bigint[], $5::bigint[], $6::bigint[]) AS m (partition, owner, expected, new)
WHERE o.consumer = $1 AND o.topic = $2 AND o.partition = m.partition
  AND o.owner = m.owner AND o.next_offset = m.expected
RETURNING o.partition;

-- name: give_sign
-- The sign of a process that ended stays for an hour, so that people can see when it last worked.
WITH gone AS (
    DELETE FROM service_sign WHERE service = $1 AND instance <> $2 AND at < clock_timestamp() - interval '1 hour'
)
INSERT INTO service_sign (service, instance, at, role, detail) VALUES ($1, $2, clock_timestamp(), $3, $4)
ON CONFLICT (service, instance) DO UPDATE SET at = excluded.at, role = excluded.role, detail = excluded.detail;

-- name: set_aside
-- A thing that is set aside already keeps its beginning; a service has at most $5 rows, and its log has the others.
INSERT INTO set_aside AS a (service, kind, subject, why)
SELECT $1, kind, subject, why FROM unnest($2::text[], $3::text[], $4::text[]) AS new (kind, subject, why)
WHERE (SELECT count(*) FROM set_aside WHERE service = $1) < $5::int
   OR EXISTS (SELECT FROM set_aside o WHERE o.service = $1 AND o.kind = new.kind AND o.subject = new.subject)
ON CONFLICT (service, kind, subject) DO UPDATE SET why = excluded.why WHERE a.why <> excluded.why;

-- name: take_back
DELETE FROM set_aside AS a USING unnest($2::text[], $3::text[]) AS old (kind, subject)
WHERE a.service = $1 AND a.kind = old.kind AND a.subject = old.subject;

-- name: load_set_aside
SELECT kind, subject, why FROM set_aside WHERE service = $1 AND kind = ANY ($2::text[]) AND starts_with(subject, $3);

-- name: make_login
-- The statement that makes a login ($1) of a group ($2), or brings it back to what it should be, with a password ($3); those take
-- no parameters.
SELECT format(
    '%s ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD %L; GRANT %I TO %2$I',
    CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = $1) THEN 'ALTER' ELSE 'CREATE' END, $1::text, $3::text, $2::text);

-- name: keep_apart
-- The services give back what roles.sql gave them while the API had no login of its own.
REVOKE milepost_api FROM milepost_services;

-- name: has_sessions
-- A backup may be older than the tables.
SELECT to_regclass('session') IS NOT NULL;

-- name: end_sessions
-- Of a restored database: a session that was ended after the backup would go on.
DELETE FROM session;

-- name: void_codes
DELETE FROM signin_code;

-- name: newest_schema
SELECT coalesce(max(version), 0) FROM schema_migration;

-- name: append_entries
-- Entries of the ledger in their order, each with its place among those that wait for their seal. An entry without a time
-- has that of the transaction. Salts of texts ($6: the body, $7: the field of it, $8): a body with one is like no other.
WITH made AS (
    INSERT INTO ledger_entry (kind, subject, actor, at_ms, body)
    SELECT kind, subject, actor, coalesce(at_ms, floor(extract(epoch FROM now()) * 1000)::bigint), body
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[]) WITH ORDINALITY
        AS new (kind, subject, actor, at_ms, body, n)
    ORDER BY n
    RETURNING id, body
), salted AS (
    INSERT INTO ledger_salt (entry, field, salt)
    SELECT made.id, new.field, new.salt
    FROM unnest($6::bytea[], $7::text[], $8::bytea[]) AS new (body, field, salt) JOIN made USING (body)
)
INSERT INTO ledger_pending (id) SELECT id FROM made;

-- name: has_ledger
SELECT to_regclass('ledger_entry') IS NOT NULL;

-- name: has_seal
-- Whether the schema has the tables of the seal; that of an old backup may have none.
SELECT to_regclass('ledger_head') IS NOT NULL;

-- name: unseal
-- A database from a backup has lost what came after it, so its log ends: its last checkpoint is kept, and everything is to be
-- sealed into a new log, whose first entry names that checkpoint. Only the owner of the tables can do this.
DO $$
BEGIN
    ALTER TABLE ledger_run DISABLE TRIGGER ledger_run_is_written_once;
    ALTER TABLE ledger_tile DISABLE TRIGGER ledger_tile_is_written_once;
    ALTER TABLE ledger_head DISABLE TRIGGER ledger_head_is_kept;
    INSERT INTO ledger_checkpoint (origin, size, note)
    SELECT origin, size, note FROM ledger_head WHERE note IS NOT NULL ON CONFLICT DO NOTHING;
    INSERT INTO ledger_pending (id) SELECT id FROM ledger_entry ON CONFLICT DO NOTHING;
    DELETE FROM ledger_run;
    DELETE FROM ledger_tile;
    DELETE FROM ledger_head;
    ALTER TABLE ledger_run ENABLE ALWAYS TRIGGER ledger_run_is_written_once;
    ALTER TABLE ledger_tile ENABLE ALWAYS TRIGGER ledger_tile_is_written_once;
    ALTER TABLE ledger_head ENABLE ALWAYS TRIGGER ledger_head_is_kept;
END $$;

-- name: has_roles
-- Whether the groups of the services and of the API are there.
SELECT count(*) = 2 FROM pg_roles WHERE rolname IN ('milepost_service', 'milepost_api');

-- name: reader_made
-- What the rights of dashboards were made of.
SELECT obj_description(to_regprocedure('grant_reader()'), 'pg_proc');

-- name: dashboards_made
-- What the views of dashboards were made of, and whether the group that reads them was there.
SELECT obj_description(n.oid, 'pg_namespace') FROM pg_namespace n
WHERE n.nspname = 'dashboards'
  AND has_schema_privilege((SELECT oid FROM pg_roles WHERE rolname = 'milepost_area_reader'), n.oid, 'USAGE') IS NOT FALSE;

-- name: scoped_made
-- What the policies and views were made of; no row while a table lacks the policy of a role, which was dropped and made again.
SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace
WHERE nspname = 'scoped' AND NOT EXISTS (
    SELECT FROM pg_class c CROSS JOIN pg_roles r
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relrowsecurity
      AND r.rolname IN ('milepost_service', 'milepost_api')
      AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND r.oid = ANY (p.polroles)));

-- name: made_up_history
-- Whether the history was made up for a demonstration.
SELECT from_at, until_at FROM made_up_history;

-- name: has_dashboard_login
SELECT EXISTS (SELECT FROM pg_roles JOIN dashboard_login ON login = rolname WHERE rolname = $1);

-- name: path_of_area
-- The areas from the top down to an area, by its code or by a short code of GB/T 2260 that is padded to 12 digits.
SELECT a.code, a.name, a.name_en
FROM area t CROSS JOIN unnest(t.path) WITH ORDINALITY AS above (code, depth) JOIN area a ON a.code = above.code
WHERE t.code = coalesce((SELECT code FROM area WHERE code = $1), CASE WHEN $1 ~ '^[0-9]{1,11}$' THEN rpad($1, 12, '0') END)
ORDER BY depth;

-- name: put_dashboard_login
-- Which areas ($2) a login of dashboards ($1) sees.
INSERT INTO dashboard_login (login, areas) VALUES ($1, $2) ON CONFLICT (login) DO UPDATE SET areas = excluded.areas;
