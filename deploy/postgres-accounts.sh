#!/bin/sh
# The image of the database runs this script once, when its volume is new. It creates the account that owns Milepost's
# tables and has no other rights, the account of the services, and the account of Grafana. psql reads the passwords from
# files, so that they appear in no argument.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set owner `cat /run/secrets/owner_password`
\set services `cat /run/secrets/services_password`
\set reader `cat /run/secrets/reader_password`
CREATE ROLE milepost LOGIN PASSWORD :'owner';
CREATE ROLE milepost_service NOLOGIN;
CREATE ROLE milepost_services LOGIN PASSWORD :'services' IN ROLE milepost_service;
CREATE ROLE milepost_reader NOLOGIN;
CREATE ROLE milepost_grafana LOGIN PASSWORD :'reader' IN ROLE milepost_reader CONNECTION LIMIT 20;
ALTER ROLE milepost_grafana SET default_transaction_read_only = on;
ALTER ROLE milepost_grafana SET statement_timeout = '30s';
SELECT format('ALTER DATABASE %I OWNER TO milepost', current_database()) \gexec
ALTER SCHEMA public OWNER TO milepost;
SQL
