-- name: load_templates
SELECT name, language, text, edited_at, edited_by FROM message_template ORDER BY name, language;

-- name: put_template
-- False: it is as it was.
INSERT INTO message_template (name, language, text, edited_by) VALUES ($1, $2, $3, $4)
ON CONFLICT (name, language) DO UPDATE SET text = $3, edited_by = $4, edited_at = now()
    WHERE message_template.text IS DISTINCT FROM $3
RETURNING true;

-- name: remove_template
DELETE FROM message_template WHERE name = $1 AND language = $2 RETURNING true;

-- name: count_pages
-- What pages are about, to be counted in a digest.
SELECT i.kind, p.phase, p.severity FROM page p JOIN incident i ON i.id = p.incident WHERE p.id = ANY ($1::bigint[]);
