#!/bin/sh
# Makes the accounts of the database, or brings them back to what they should be: the owner of Milepost's tables, who has no
# other rights, the accounts of the services, of the API, of the sealer and of Grafana. The image of the database runs this
# script once, when its volume is new, and the service `accounts` at each start, so that an older volume gets what is new.
# psql reads the passwords from files, so that they appear in no argument.
set -eu
if [ -n "${PGHOST:-}" ]; then
    PGPASSWORD=$(cat /run/secrets/postgres_password)
    export PGPASSWORD
fi
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set owner `cat /run/secrets/owner_password`
\set services `cat /run/secrets/services_password`
\set api `cat /run/secrets/api_password`
\set audit `cat /run/secrets/audit_password`
\set reader `cat /run/secrets/reader_password`
SET client_min_messages = warning;
SELECT format('CREATE ROLE %I NOLOGIN', name)
FROM unnest(ARRAY['milepost', 'milepost_service', 'milepost_services', 'milepost_api', 'milepost_console',
                  'milepost_audit', 'milepost_sealer',
                  'milepost_reader', 'milepost_grafana', 'milepost_area_reader']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE milepost LOGIN PASSWORD :'owner';
ALTER ROLE milepost_services LOGIN PASSWORD :'services';
ALTER ROLE milepost_console LOGIN PASSWORD :'api';
ALTER ROLE milepost_sealer LOGIN PASSWORD :'audit';
ALTER ROLE milepost_grafana LOGIN PASSWORD :'reader' CONNECTION LIMIT 20;
GRANT milepost_service TO milepost_services;
GRANT milepost_api TO milepost_console;
GRANT milepost_audit TO milepost_sealer;
-- The services give back what migrations gave them while the API had no login of its own.
SELECT format('REVOKE milepost_api FROM milepost_services GRANTED BY %I', pg_get_userbyid(m.grantor))
FROM pg_auth_members m
WHERE m.roleid = 'milepost_api'::regrole AND m.member = 'milepost_services'::regrole \gexec
GRANT milepost_reader TO milepost_grafana;
ALTER ROLE milepost_grafana SET default_transaction_read_only = on;
ALTER ROLE milepost_grafana SET statement_timeout = '30s';
SELECT format('ALTER DATABASE %I OWNER TO milepost', current_database()) \gexec
ALTER SCHEMA public OWNER TO milepost;
SQL
