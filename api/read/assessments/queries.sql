-- name: assessed_areas
-- Names, levels and paths of areas ($1: codes).
SELECT code, name, name_en, level, path FROM area WHERE code = ANY ($1::text[]);
