-- A picture that was sent before may show a later repair too: it is stored for each repair.

DROP INDEX photo_incident;
CREATE UNIQUE INDEX photo_incident ON photo (incident, sha256, coalesce(repair, 0)) WHERE incident IS NOT NULL;
