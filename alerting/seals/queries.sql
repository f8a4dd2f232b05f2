-- name: waiting_since
-- The write time of the oldest row that is not sealed, by one index lookup for each partition; NULL: every row is
-- sealed, or there is no log yet.
SELECT min(waiting.at) FROM (
    (SELECT to_timestamp(e.at_ms / 1000.0) AS at FROM ledger_entry e
     WHERE e.id > coalesce((SELECT r.first + r.count - 1 FROM ledger_run r WHERE r.source = 'ledger_entry' AND r.partition = 0
                            ORDER BY r.first DESC LIMIT 1), 0)
     ORDER BY e.id LIMIT 1)
    UNION ALL
    SELECT t.written_at FROM (SELECT DISTINCT partition FROM partition_clock) AS p CROSS JOIN LATERAL (
        SELECT w.written_at FROM transition w
        WHERE w.partition = p.partition AND w.seq > coalesce((
            SELECT r.first + r.count - 1 FROM ledger_run r WHERE r.source = 'transition' AND r.partition = p.partition
            ORDER BY r.first DESC LIMIT 1), 0)
        ORDER BY w.seq LIMIT 1) AS t
) AS waiting WHERE EXISTS (SELECT FROM ledger_head);
