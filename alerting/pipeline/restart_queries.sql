-- name: one_at_a_time
-- Two who announce at once do so one after the other.
LOCK TABLE announced_restart IN SHARE ROW EXCLUSIVE MODE;

-- name: restart_now
SELECT clock_timestamp();

-- name: recent_restarts
SELECT from_at, until_at, actor, reason FROM announced_restart WHERE until_at > $1 ORDER BY until_at DESC LIMIT 20;

-- name: announce_restart
INSERT INTO announced_restart (from_at, until_at, actor, reason) VALUES ($1, $2, $3, $4);
