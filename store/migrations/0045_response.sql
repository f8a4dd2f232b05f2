-- How fast people answer, and what is open for whom (api/read/response).

-- When somebody first acknowledged the incident. Reopening deletes an acknowledgement, and the time to the first one stays.
ALTER TABLE incident ADD COLUMN first_acknowledged_at timestamptz;
UPDATE incident i SET first_acknowledged_at = coalesce(e.at, i.acknowledged_at)
FROM (SELECT i.id, min(e.at) AS at FROM incident i
      LEFT JOIN incident_entry e ON e.incident = i.id AND e.action = 'acknowledged' AND e.share IS NULL
      GROUP BY i.id) AS e
WHERE e.id = i.id AND coalesce(e.at, i.acknowledged_at) IS NOT NULL;

-- Of a period, of the country and of an area.
CREATE INDEX incident_opened ON incident (opened_at) WHERE parent IS NULL;
CREATE INDEX incident_area_opened ON incident (area, opened_at) WHERE parent IS NULL;
-- What is open in an area, and for a person.
CREATE INDEX incident_open_area ON incident (area, began_at) WHERE status <> 'closed';
CREATE INDEX incident_open_assignee ON incident (assignee) WHERE status <> 'closed' AND assignee IS NOT NULL;
CREATE INDEX incident_open_acknowledged ON incident (acknowledged_by, eta_at) WHERE status = 'acknowledged';
