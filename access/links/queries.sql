-- name: link_key
SELECT key FROM link_key;

-- name: add_link_key
-- If two processes create the key at the same time, the first key stays.
INSERT INTO link_key (key) VALUES ($1) ON CONFLICT DO NOTHING;

-- name: fresh_links
-- Of each incident the link of a contact that is good for the longest time, if that is long enough.
SELECT DISTINCT ON (incident) id AS number, incident, contact, expires_at FROM link
WHERE contact = $1 AND incident = ANY ($2::bigint[]) AND ended_at IS NULL AND expires_at >= $3
ORDER BY incident, expires_at DESC;

-- name: add_links
INSERT INTO link (incident, contact, made_at, expires_at)
SELECT incident, $1, $3, $4 FROM unnest($2::bigint[]) AS incident
RETURNING id AS number, incident, contact, expires_at;

-- name: find_link
-- A link with the account of its contact. Asked before any scope is known.
SELECT l.id AS number, l.incident, l.contact, l.expires_at, l.ended_at, c.account, c.language,
       c.retired_at IS NULL AND NOT c.room AND a.disabled_at IS NULL AND a.id IS NOT NULL AS may_act
FROM link l JOIN contact c ON c.id = l.contact LEFT JOIN account a ON a.id = c.account
WHERE l.id = $1;

-- name: hold_link
-- The lock makes forms of one link, and the end of the link, run one after another.
SELECT ended_at IS NULL AS good FROM link WHERE id = $1 FOR NO KEY UPDATE;

-- name: count_posts
-- The forms of a link since $2. It runs as a query of its own, after the link is locked: a query that waits for the
-- lock does not see the forms that were stored meanwhile.
SELECT count(*) FROM link_post WHERE link = $1 AND at > $2;

-- name: find_post
SELECT answer FROM link_post WHERE link = $1 AND once = $2;

-- name: add_post
INSERT INTO link_post (link, once, at, answer) VALUES ($1, $2, $3, $4);

-- name: count_good
-- How many links of a contact are good.
SELECT count(*) FROM link WHERE contact = $1 AND ended_at IS NULL AND expires_at > $2;

-- name: hold_contact
-- Lock the contact. A transaction that makes a link locks its contact too, so a transaction that ends links waits for
-- the new link and then sees it.
SELECT FROM contact WHERE id = $1 FOR UPDATE;

-- name: end_links
WITH ended AS (
    UPDATE link SET ended_at = $2, ended_why = $3
    WHERE contact = $1 AND ended_at IS NULL AND expires_at > $2
    RETURNING id
)
SELECT count(*) FROM ended;
