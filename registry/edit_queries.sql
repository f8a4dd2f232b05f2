-- name: is_editing
-- Whether this transaction is within an edit, which writes the entries of all facts.
SELECT coalesce(current_setting('milepost.editing', true), '') <> '';

-- name: begin_edit
-- Which account changes the registry in this transaction, why and on whose behalf; and the last number of a fact so far,
-- after which those of the edit come.
SELECT set_config('milepost.editing', 'yes', true), set_config('milepost.actor', $1, true),
       set_config('milepost.reason', $2, true), set_config('milepost.remark', $3, true),
       newest_registry_fact() AS newest;

-- name: facts_of_edit
-- Facts that this transaction appended after a number ($1), at most $2.
SELECT id, kind, subject, effective_us, whole, fields FROM registry_facts_of_edit($1, $2);

-- name: end_edit
SELECT set_config('milepost.editing', '', true);
