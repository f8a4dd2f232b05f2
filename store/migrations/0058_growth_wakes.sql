-- An incident of an area that grows wakes its escalation, also if no county joins it: the people of the larger area are told.
CREATE OR REPLACE FUNCTION incident_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO escalation_wake (incident)
    SELECT n.id FROM new_row n JOIN old_row o ON o.id = n.id
    WHERE (n.status, n.acknowledged_at, n.eta_at, n.assignee, n.parent, n.reopen_at,
           n.detail -> 'severity', n.detail -> 'stage', n.detail -> 'quiet', CASE WHEN n.station IS NULL THEN n.area END)
          IS DISTINCT FROM (o.status, o.acknowledged_at, o.eta_at, o.assignee, o.parent, o.reopen_at,
                            o.detail -> 'severity', o.detail -> 'stage', o.detail -> 'quiet',
                            CASE WHEN o.station IS NULL THEN o.area END)
      AND (n.parent IS NULL OR EXISTS (SELECT FROM escalation e WHERE e.incident = n.id));
    IF FOUND THEN
        PERFORM pg_notify('milepost_escalation', '');
    END IF;
    RETURN NULL;
END $$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION incident_changed() SET search_path = %I, pg_temp', current_schema());
END $$;

-- The shares of a person are in the list of the person's work.
CREATE INDEX incident_share_ack_acknowledged_by ON incident_share_ack (acknowledged_by);
CREATE INDEX incident_share_ack_assignee ON incident_share_ack (assignee) WHERE assignee IS NOT NULL;
