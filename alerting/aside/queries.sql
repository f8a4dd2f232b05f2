-- name: aside_since
-- Since when the oldest thing is set aside; NULL: nothing is. Days that were too old to be revised (`old_days`) are only
-- listed for auditors: no row and no message waits to be processed.
SELECT held(min(since)) FROM set_aside WHERE kind <> 'old_days';
