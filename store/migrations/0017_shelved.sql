-- An incident that a person, or an approved closure, closed while its fault goes on: it opens again at this time unless
-- the fault is over before. NULL: it is open, or closed because its fault is over.
ALTER TABLE incident ADD COLUMN reopen_at timestamptz;
ALTER TABLE incident ADD CONSTRAINT incident_shelved_is_closed CHECK (reopen_at IS NULL OR status = 'closed');

-- At most one incident of a key goes on.
DROP INDEX incident_one_open;
CREATE UNIQUE INDEX incident_one_going_on ON incident (key) WHERE status <> 'closed' OR reopen_at IS NOT NULL;
CREATE INDEX incident_shelved ON incident (reopen_at) WHERE reopen_at IS NOT NULL;

DROP INDEX incident_blind_spot;
CREATE INDEX incident_blind_spot ON incident (key)
    WHERE kind = 'blind_spot' AND (status <> 'closed' OR reopen_at IS NOT NULL);
DROP INDEX incident_blind_spot_resolved;

-- What is told of an incident once is told once in each round: `round` counts how often it opened again.
ALTER TABLE notification ADD COLUMN round integer NOT NULL DEFAULT 0;
ALTER TABLE notification DROP CONSTRAINT notification_incident_phase_key;
ALTER TABLE notification ADD CONSTRAINT notification_once UNIQUE (incident, phase, round);

-- What is over before it was told is told once, as past: the delivery of its beginning is cancelled.
ALTER TABLE delivery DROP CONSTRAINT delivery_status_check;
ALTER TABLE delivery ADD CONSTRAINT delivery_status_check
    CHECK (status IN ('pending', 'sent', 'failed', 'cancelled'));
