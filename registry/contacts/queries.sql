-- name: load_contacts
-- Contacts with their channels, retired ones too; $1: only these, NULL: all.
SELECT c.id, c.name, c.role, c.area, c.language, c.room, c.quiet, c.account,
       held(coalesce(c.retired_at, c.muted_at)) AS retired_at, c.retired_at IS NULL AND c.muted_at IS NOT NULL AS muted,
       array(SELECT kind FROM contact_channel h WHERE h.contact = c.id ORDER BY h.place) AS kinds,
       array(SELECT fingerprint FROM contact_channel h WHERE h.contact = c.id ORDER BY h.place) AS fingerprints
FROM contact c WHERE $1::text[] IS NULL OR c.id = ANY ($1);

-- name: list_contacts
-- In the order of their ids after $1; $2: of this area and those below it; $3: retired ones too.
SELECT c.id, c.name, c.role, c.area, c.language, c.room, c.quiet, c.account,
       coalesce(c.retired_at, c.muted_at) AS retired_at, c.retired_at IS NULL AND c.muted_at IS NOT NULL AS muted,
       array(SELECT kind FROM contact_channel h WHERE h.contact = c.id ORDER BY h.place) AS kinds,
       array(SELECT fingerprint FROM contact_channel h WHERE h.contact = c.id ORDER BY h.place) AS fingerprints
FROM contact c
WHERE c.id > $1 AND ($3 OR c.retired_at IS NULL)
  AND ($2::text IS NULL OR c.area IN (SELECT code FROM area WHERE path @> ARRAY[$2]))
ORDER BY c.id LIMIT $4;

-- name: lock_contacts
-- In one order, so that two edits do not wait for each other.
SELECT id FROM contact WHERE id = ANY ($1::text[]) ORDER BY id FOR NO KEY UPDATE;

-- name: load_addresses
-- Secret: for the process that sends, which alone of all readers shows them to a provider. None of a contact that is told of nothing.
SELECT h.contact, h.kind, h.address, h.fingerprint
FROM contact_channel h JOIN contact c ON c.id = h.contact
WHERE h.contact = ANY ($1::text[]) AND c.retired_at IS NULL AND c.muted_at IS NULL
ORDER BY h.contact, h.place;

-- name: fingerprints
-- What stands for addresses, in their order.
SELECT channel_fingerprint(new.kind, new.address) AS fingerprint
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS new (kind, address, n) ORDER BY n;

-- name: add_contacts
-- A contact of an id that is taken is not returned, whether the caller sees the other one or not.
INSERT INTO contact (id, name, role, area, language, room, quiet, account, edited_by)
SELECT new.*, $9 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[])
    AS new (id, name, role, area, language, room, quiet, account)
ON CONFLICT (id) DO NOTHING RETURNING id;

-- name: change_contacts
-- A retired contact that is written again is no longer retired.
UPDATE contact c SET name = new.name, role = new.role, area = new.area, language = new.language, room = new.room,
       quiet = new.quiet, account = new.account, retired_at = NULL, edited_at = now(), edited_by = $9
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[])
    AS new (id, name, role, area, language, room, quiet, account)
WHERE c.id = new.id;

-- name: clear_channels
DELETE FROM contact_channel WHERE contact = ANY ($1::text[]);

-- name: add_channels
INSERT INTO contact_channel (contact, place, kind, address)
SELECT * FROM unnest($1::text[], $2::smallint[], $3::text[], $4::text[]);

-- name: retire_contact
UPDATE contact SET retired_at = now(), edited_at = now(), edited_by = $2 WHERE id = $1 AND retired_at IS NULL RETURNING id;

-- name: give_accounts
-- Accounts for those of the contacts that are persons without one, as technicians of their areas.
SELECT wanted.id AS contact, made.id, made.login, made.name, made.area
FROM unnest($1::text[]) AS wanted (id) CROSS JOIN LATERAL give_contact_account(wanted.id, $2) AS made;

-- name: beyond_accounts
-- Those of the contacts whose area ($3; NULL: the whole) their account ($2) does not see; $1: their ids.
SELECT new.id FROM unnest($1::text[], $2::text[], $3::text[]) AS new (id, account, area)
WHERE is_beyond_account(new.account, new.area) ORDER BY new.id;

-- name: find_accounts
-- Accounts by their ids or logins, and the author $2, as far as the caller sees them.
SELECT id, login, role FROM account WHERE id = ANY ($1::text[]) OR lower(login) = ANY ($1::text[]) OR id = $2;
