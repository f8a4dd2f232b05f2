-- A message whose provider does not answer in time, about something critical: it is not waited for, and its pages go by the next
-- channel. Its attempt goes on, and a late receipt counts; when no other channel is left, the same message is sent again.
ALTER TABLE message DROP CONSTRAINT message_status_check;
ALTER TABLE message ADD CONSTRAINT message_status_check
    CHECK (status IN ('due', 'sending', 'taken', 'folded', 'refused', 'given_up', 'hastened'));

-- Each part of a wider incident is told to its own people: how far its escalation came, until when its acknowledgement counts and to
-- whom it was handed over.

ALTER TABLE incident_share_ack ADD COLUMN eta_at timestamptz;
ALTER TABLE incident_share_ack ADD COLUMN assignee text CHECK (char_length(assignee) <= 200);

-- As `escalation`, for the part that lies in an area: a county, or an area between the counties and the incident.
CREATE TABLE share_escalation (
    incident bigint NOT NULL REFERENCES incident,
    share    text NOT NULL,
    route    text,
    plan     jsonb,
    state    jsonb,
    log      jsonb NOT NULL DEFAULT '[]',
    wake_at  timestamptz,
    over_at  timestamptz,
    PRIMARY KEY (incident, share)
);
CREATE INDEX share_escalation_wake_at ON share_escalation (wake_at) WHERE wake_at IS NOT NULL;

-- What lies in an area of an incident with children: the sum of the counties in it. It is acknowledged when every county with
-- something down is; until the first ETA of these. `counted`: it is a county, or an area that stands for one.
CREATE VIEW share_part AS
SELECT s.incident, up.code AS area, sum(s.children)::int AS children, sum(s.down)::int AS down,
       bool_or(s.area = up.code) AS counted,
       CASE WHEN bool_and(k.incident IS NOT NULL OR s.down = 0) THEN max(k.acknowledged_at) END AS acknowledged_at,
       min(k.eta_at) FILTER (WHERE s.down > 0) AS eta_at,
       (array_agg(k.acknowledged_by ORDER BY k.acknowledged_at DESC NULLS LAST))[1] AS acknowledged_by,
       (array_agg(k.acknowledged_remark ORDER BY k.acknowledged_at DESC NULLS LAST))[1] AS acknowledged_remark,
       (array_agg(k.assignee ORDER BY k.acknowledged_at DESC NULLS LAST))[1] AS assignee
FROM incident_share s
LEFT JOIN area a ON a.code = s.area
LEFT JOIN incident_share_ack k ON k.incident = s.incident AND k.area = s.area
CROSS JOIN LATERAL unnest(coalesce(a.path, ARRAY[s.area])) AS up (code)
GROUP BY s.incident, up.code;

-- What happens to a share wakes the escalation of its incident: the first one down and the last one back, and what people do.
CREATE FUNCTION share_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_TABLE_NAME = 'incident_share_ack' OR TG_OP = 'INSERT' THEN
        INSERT INTO escalation_wake (incident) SELECT DISTINCT incident FROM new_row;
    ELSE
        INSERT INTO escalation_wake (incident)
        SELECT DISTINCT n.incident FROM new_row n JOIN old_row o ON (o.incident, o.area) = (n.incident, n.area)
        WHERE (n.down = 0) <> (o.down = 0);
    END IF;
    IF FOUND THEN
        PERFORM pg_notify('milepost_escalation', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER share_added AFTER INSERT ON incident_share REFERENCING NEW TABLE AS new_row
    FOR EACH STATEMENT EXECUTE FUNCTION share_changed();
CREATE TRIGGER share_changed AFTER UPDATE ON incident_share REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row
    FOR EACH STATEMENT EXECUTE FUNCTION share_changed();
CREATE TRIGGER share_acknowledged AFTER INSERT ON incident_share_ack REFERENCING NEW TABLE AS new_row
    FOR EACH STATEMENT EXECUTE FUNCTION share_changed();
CREATE TRIGGER share_acknowledged_again AFTER UPDATE ON incident_share_ack REFERENCING NEW TABLE AS new_row
    FOR EACH STATEMENT EXECUTE FUNCTION share_changed();
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION share_changed() SET search_path = %I, pg_temp', current_schema());
    REVOKE EXECUTE ON FUNCTION share_changed() FROM PUBLIC;
END $$;
