-- name: open_station_incidents
SELECT station, kind FROM incident WHERE (status <> 'closed' OR reopen_at IS NOT NULL) AND kind = ANY ($1::text[]) AND station IS NOT NULL;
