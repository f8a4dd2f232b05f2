-- On TimescaleDB the records are hypertables of one-day chunks; on plain PostgreSQL they stay as they are.

DO $$
DECLARE
    kind text;
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb') THEN
        CREATE EXTENSION IF NOT EXISTS timescaledb;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        RETURN;
    END IF;
    FOREACH kind IN ARRAY ARRAY['health', 'usage', 'inventory', 'presence', 'event'] LOOP
        PERFORM create_hypertable(kind::regclass, by_range('ts', interval '1 day'), create_default_indexes => false);
        EXECUTE format('ALTER TABLE %I SET (timescaledb.enable_columnstore, timescaledb.segmentby = ''station'', '
                       'timescaledb.orderby = ''ts DESC'')', kind);
        CALL add_columnstore_policy(kind::regclass, interval '7 days');
    END LOOP;
END $$;
