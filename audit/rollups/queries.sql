-- name: database_rolls_up
-- Whether a job of the database makes the figures: on TimescaleDB only the owner may refresh them.
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb');

-- name: roll_up
-- Make the figures of the finished hours of one day (UTC), the oldest one for which records arrived.
CALL roll_up_records();

-- name: is_more_due
-- Whether records arrived for further hours that ended five minutes ago, or sums of use are to be made again.
SELECT EXISTS (SELECT FROM rollup_touch WHERE began_at < date_trunc('hour', now() - interval '5 minutes'))
    OR EXISTS (SELECT FROM usage_due);

-- name: forget_boots
-- Look at the boots of some stations (at least $2 boots) after a station, and forget the old ones; null: there are no more stations.
SELECT forget_boots($1, $2);

-- name: forget
-- Delete records or figures of a kind ($1) that are older than $2, at most $3 rows.
SELECT forget_records($1, now() - $2::interval, $3);
