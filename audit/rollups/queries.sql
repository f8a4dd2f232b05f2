-- name: try_rollup_lock
-- The lock of the leader, which makes figures and deletes old rows; the session holds the lock until the session ends.
SELECT pg_try_advisory_lock($1);

-- name: bound_rollup_session
-- The server ends the session of a leader that hangs, so that a standby can take over.
SELECT set_config(name, $1, false) FROM pg_settings
WHERE name IN ('idle_session_timeout', 'idle_in_transaction_session_timeout');

-- name: database_rolls_up
-- Whether a job of the database makes the figures: on TimescaleDB only the owner may refresh them.
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb');

-- name: roll_up
-- Make the figures of all finished hours for which records arrived.
CALL roll_up_records();

-- name: forget
-- Delete records or figures of a kind ($1) that are older than $2, at most $3 rows.
SELECT forget_records($1, now() - $2::interval, $3);
