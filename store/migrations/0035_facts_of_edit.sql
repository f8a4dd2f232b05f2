-- What an edit asks of the facts to write them into the ledger. With the rights of the owner: whoever edits sees the facts of
-- its own transaction, and needs no right to read any other.

-- The last number that was given to a fact, also to one of an import that is still running: looking for the newest row would
-- step over all of its rows.
CREATE FUNCTION newest_registry_fact() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM registry_fact_id_seq
$$;

-- Transactions of the database that this one was restored from may have had the same number, but their facts come before.
CREATE FUNCTION registry_facts_of_edit(after bigint, most integer)
RETURNS TABLE (id bigint, kind text, subject text, effective_us bigint, whole boolean, fields jsonb)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT f.id, f.kind, f.subject, fact_moment(f.effective_at), f.whole, f.fields
    FROM registry_fact f WHERE f.id > after AND f.xid = pg_current_xact_id() ORDER BY f.id LIMIT most
$$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION newest_registry_fact() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION registry_facts_of_edit(bigint, integer) SET search_path = %I, pg_temp',
                   current_schema());
END $$;
