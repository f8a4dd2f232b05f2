-- name: bound_load
-- Loading a whole country takes longer than the limit of a pass; this limit holds until the end of the transaction.
SELECT set_config(name, $1, true) FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout');

-- name: allow_scans
-- A pass finds all rows by an index. PostgreSQL keeps a plan as long as the session lives, also the plans of foreign
-- keys. A plan made while a table was small would scan the whole table for each row when a whole country falls.
SELECT set_config('enable_seqscan', $1, false);

-- name: read_now
-- The time of a pass, by the clock of the database.
SELECT clock_timestamp();

-- name: latest_gaps
-- The gaps that ended lately: when they recur, that is an incident.
SELECT shard, began_at, ended_at FROM pipeline_gap WHERE ended_at > $1;
