-- On plain PostgreSQL, figures of late records: the work is proportional to their number.

DO $$
DECLARE
    -- Each hour of a station was compared with each other one that the same call makes: hours of time after an outage of ten thousand stations.
    pairs constant text := 'NOT EXISTS (SELECT FROM touched w WHERE w.since = t.since AND w.late IS NULL)';
    hashed constant text := 'since NOT IN (SELECT w.since FROM touched w WHERE w.late IS NULL)';
    made text;
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        RETURN;
    END IF;
    FOREACH made IN ARRAY ARRAY['health_hour', 'health_day', 'usage_hour', 'usage_day'] LOOP
        EXECUTE replace(pg_get_functiondef(('roll_up_' || made)::regproc), pairs, hashed);
        -- The plan of the first call is kept for the session. When it is made, tables may be empty; later, to read them whole for each row would
        -- have no end. Each row is found by an index.
        EXECUTE format('ALTER FUNCTION %I() SET enable_seqscan = off', 'roll_up_' || made);
        EXECUTE format('ALTER FUNCTION %I() SET enable_hashjoin = off', 'roll_up_' || made);
        EXECUTE format('ALTER FUNCTION %I() SET enable_mergejoin = off', 'roll_up_' || made);
    END LOOP;
END $$;
