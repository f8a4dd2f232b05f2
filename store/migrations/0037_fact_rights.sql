-- Functions that append facts run with the rights of the owner, as triggers of the registry. Nobody else may put them on a
-- table: on a temporary one of a service they would append facts that no edit made.
DO $$
DECLARE
    source text;
BEGIN
    FOREACH source IN ARRAY
        '{area, station, terminal, station_programme, schedule, schedule_override, day_class, closure}'::text[]
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %I() FROM PUBLIC', source || '_facts');
    END LOOP;
END $$;
