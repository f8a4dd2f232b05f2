-- name: load_duties
-- Every duty in the scope, in the order of their making, in which people on duty at the same time are told.
SELECT id, area, role, contact, times, weeks, week, valid_from, valid_to FROM duty ORDER BY id;

-- name: load_substitutes
-- The substitutes in the scope whose time is not over at $1 (null: all).
SELECT id, contact, substitute, from_at, until_at, reason FROM duty_substitute
WHERE $1::timestamptz IS NULL OR until_at > $1 ORDER BY contact COLLATE "C", from_at;

-- name: seen_contacts
-- Which of these contacts the scope shows: a foreign key does not look at the scope.
SELECT id FROM contact WHERE id = ANY ($1::text[]);

-- name: contact_names
-- For the files of duties, which name a contact by id or by name.
SELECT id, name, retired_at IS NOT NULL AS retired FROM contact ORDER BY id COLLATE "C";

-- name: put_duties
-- The same duty of a later file replaces the last day of the earlier one; one that changes nothing is not written.
INSERT INTO duty AS d (area, role, contact, times, weeks, week, valid_from, valid_to, edited_by)
SELECT area, role, contact, times, weeks, week, valid_from, valid_to, $9
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::smallint[], $7::date[], $8::date[])
    AS new (area, role, contact, times, weeks, week, valid_from, valid_to)
ON CONFLICT (area, role, contact, times, weeks, week, valid_from) DO UPDATE
    SET valid_to = excluded.valid_to, edited_by = excluded.edited_by, edited_at = now()
    WHERE d.valid_to IS DISTINCT FROM excluded.valid_to
RETURNING id, area, role, contact, times, weeks, week, valid_from, valid_to;

-- name: find_duty
-- The stored duty of the same kind, which a person gives a second time.
SELECT id, area, role, contact, times, weeks, week, valid_from, valid_to FROM duty
WHERE (area, role, contact, times, weeks, week, valid_from) IS NOT DISTINCT FROM ($1, $2, $3, $4, $5, $6, $7);

-- name: find_substitute
-- The stored substitute of a contact from the same time on.
SELECT id, contact, substitute, from_at, until_at, reason FROM duty_substitute WHERE contact = $1 AND from_at = $2;

-- name: remove_duties
DELETE FROM duty WHERE id = ANY ($1::bigint[])
RETURNING id, area, role, contact, times, weeks, week, valid_from, valid_to;

-- name: put_substitutes
-- The same contact and beginning is the same absence; one that changes nothing is not written.
INSERT INTO duty_substitute AS s (contact, substitute, from_at, until_at, reason, edited_by)
SELECT contact, substitute, from_at, until_at, reason, $6
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[])
    AS new (contact, substitute, from_at, until_at, reason)
ON CONFLICT (contact, from_at) DO UPDATE
    SET substitute = excluded.substitute, until_at = excluded.until_at, reason = excluded.reason,
        edited_by = excluded.edited_by, edited_at = now()
    WHERE (s.substitute, s.until_at, s.reason) IS DISTINCT FROM (excluded.substitute, excluded.until_at, excluded.reason)
RETURNING id, contact, substitute, from_at, until_at, reason;

-- name: remove_substitutes
DELETE FROM duty_substitute WHERE id = ANY ($1::bigint[])
RETURNING id, contact, substitute, from_at, until_at, reason;
