-- On TimescaleDB: a compressed chunk has at least one row a station, with a header for each column. With fewer than about a hundred
-- rows of a station in a chunk the headers take more than compression saves, so kinds with few records get longer chunks.
-- Chunks that exist keep their length.

DO $$
DECLARE
    kind text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        RETURN;
    END IF;
    PERFORM set_chunk_time_interval('usage', interval '10 days');
    FOREACH kind IN ARRAY ARRAY['inventory', 'presence', 'event'] LOOP
        PERFORM set_chunk_time_interval(kind::regclass, interval '30 days');
    END LOOP;
    FOREACH kind IN ARRAY ARRAY['health', 'usage'] LOOP
        PERFORM set_chunk_time_interval((kind || '_hour')::regclass, interval '20 days');
        PERFORM set_chunk_time_interval((kind || '_day')::regclass, interval '120 days');
    END LOOP;
END $$;
