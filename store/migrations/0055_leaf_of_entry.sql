-- The number of the leaf of an entry of the ledger; NULL: the entry is not sealed yet. With the rights of the caller.
CREATE FUNCTION leaf_of_entry(entry bigint) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN entry < r.first + r.count THEN r.begins + entry - r.first END FROM ledger_run r
    WHERE r.source = 'ledger_entry' AND r.partition = 0 AND r.first <= entry ORDER BY r.first DESC LIMIT 1
$$;
