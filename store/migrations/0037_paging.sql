-- Escalation and delivery: the plan of each incident, what is owed to whom, and each attempt to deliver it.

-- The frozen plan of an incident and how far it came; later edits of routes do not change it.
CREATE TABLE escalation (
    incident bigint PRIMARY KEY REFERENCES incident,
    route    text,
    -- The steps, and why each route did or did not apply; NULL: it could not be made yet. And how far it came. Both as in
    -- alerting/escalation/model.py.
    plan     jsonb,
    state    jsonb,
    -- What happened by the plan: steps that were due, who was on duty, what was skipped and why.
    log      jsonb NOT NULL DEFAULT '[]',
    -- When the next step, reminder or end of an ETA is due; NULL: nothing is, until something happens.
    wake_at  timestamptz,
    over_at  timestamptz
);
CREATE INDEX escalation_going_on ON escalation (incident) WHERE over_at IS NULL;
CREATE INDEX escalation_wake_at ON escalation (wake_at) WHERE wake_at IS NOT NULL;

-- Incidents whose escalation has to be looked at again, because something happened to them; NULL: all of them. Whoever acts on an
-- incident adds a row and never waits for the escalation, which takes the rows.
CREATE TABLE escalation_wake (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident bigint,
    at       timestamptz NOT NULL DEFAULT now()
);

-- When whoever acknowledged an incident expects its end; after that the acknowledgement counts no longer.
ALTER TABLE incident ADD COLUMN eta_at timestamptz;

-- What is owed: one row for each recipient, phase and step of an incident. A room's message pays no person.
CREATE TABLE page (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident   bigint NOT NULL REFERENCES incident,
    -- The area of a share of a wider incident; '' for the incident itself.
    share      text NOT NULL DEFAULT '',
    recipient  text NOT NULL REFERENCES contact,
    phase      text NOT NULL CHECK (phase IN ('opened', 'escalated', 'reminder', 'reopened', 'resolved', 'passed', 'closed')),
    step       smallint NOT NULL DEFAULT 0,
    round      integer NOT NULL DEFAULT 0,
    severity   text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    -- Why this recipient: the role, the area, the duty or substitute, for the page of the incident.
    why        jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Held until then: quiet hours.
    not_before timestamptz,
    status     text NOT NULL DEFAULT 'owed' CHECK (status IN ('owed', 'sending', 'paid', 'cancelled', 'failed')),
    -- Why it was cancelled or failed, in one word: acknowledged, over, silenced, no_channel, too_old, …; while it is sending:
    -- unreached, if every channel was tried in vain and the last is still tried.
    reason     text,
    settled_at timestamptz,
    UNIQUE (incident, share, recipient, phase, step, round)
);
CREATE INDEX page_open ON page (recipient, not_before) WHERE status IN ('owed', 'sending');
CREATE INDEX page_recipient ON page (recipient, id DESC);

CREATE FUNCTION page_is_owed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('milepost_page', '');
    RETURN NULL;
END $$;
CREATE TRIGGER page_owed AFTER INSERT ON page FOR EACH STATEMENT EXECUTE FUNCTION page_is_owed();

-- One message to one address with one or many pages. Its content is frozen at its first attempt; its id is the key of every retry.
CREATE TABLE message (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    contact         text NOT NULL REFERENCES contact,
    kind            text NOT NULL,
    fingerprint     text NOT NULL,
    -- Title, body, short form and link; NULL before the first attempt.
    content         jsonb,
    severity        text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    attempts        integer NOT NULL DEFAULT 0,
    -- While it is `sending`, next_attempt_at is the end of the lease. Folded: not taken for a limit, its pages go with others.
    status          text NOT NULL DEFAULT 'due'
                    CHECK (status IN ('due', 'sending', 'taken', 'folded', 'refused', 'given_up')),
    settled_at      timestamptz
);
CREATE INDEX message_due ON message (next_attempt_at) WHERE status IN ('due', 'sending');
CREATE INDEX message_contact ON message (contact) WHERE status IN ('due', 'sending');

CREATE TABLE message_page (
    message uuid NOT NULL REFERENCES message,
    page    bigint NOT NULL REFERENCES page,
    PRIMARY KEY (message, page)
);
CREATE INDEX message_page_page ON message_page (page);

-- One try. `outcome` is NULL while the try is under way or its process died: unknown.
CREATE TABLE attempt (
    message uuid NOT NULL REFERENCES message,
    number  integer NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    outcome text CHECK (outcome IN ('taken', 'throttled', 'refused', 'failed', 'unknown')),
    until   timestamptz,
    why     text,
    PRIMARY KEY (message, number)
);

-- The messages that went to an address lately, for the limits of its provider: a token is taken and committed before sending.
CREATE TABLE send_limit (
    provider     text NOT NULL,
    fingerprint  text NOT NULL,
    -- Times of the tokens taken, oldest first, as far as a window of the provider reaches.
    taken_at     timestamptz[] NOT NULL DEFAULT '{}',
    -- The provider said to be silent until then.
    silent_until timestamptz,
    -- The latest attempt.
    tried_at     timestamptz,
    PRIMARY KEY (provider, fingerprint)
);

-- Channels that do not work: their failures since they last took a message. A channel without a row works.
CREATE TABLE channel_state (
    contact       text NOT NULL REFERENCES contact,
    fingerprint   text NOT NULL,
    channel       text NOT NULL,
    failing_since timestamptz,
    failures      integer NOT NULL DEFAULT 0,
    texts_refused integer NOT NULL DEFAULT 0,
    -- Since then it is dead, which is an incident; why, as a word of the glossary and in the words of its provider.
    dead_at       timestamptz,
    reason        text,
    why           text NOT NULL DEFAULT '',
    PRIMARY KEY (contact, fingerprint)
);
CREATE INDEX channel_state_dead ON channel_state (dead_at) WHERE dead_at IS NOT NULL;

-- Notifications have a second reader: the escalation. Those of before were told without it.
ALTER TABLE notification ADD COLUMN routed_at timestamptz DEFAULT now();
ALTER TABLE notification ALTER COLUMN routed_at DROP DEFAULT;
CREATE INDEX notification_unrouted ON notification (id) WHERE routed_at IS NULL;
CREATE INDEX notification_of_incident_unrouted ON notification (incident, id) WHERE routed_at IS NULL;

-- What happens to an incident wakes its escalation. One row in a statement for each incident that pages, or paged before it became
-- a part of another. The trigger also runs for the API, which has no right on the table.
CREATE FUNCTION incident_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO escalation_wake (incident)
    SELECT n.id FROM new_row n JOIN old_row o ON o.id = n.id
    WHERE (n.status, n.acknowledged_at, n.eta_at, n.assignee, n.parent, n.reopen_at,
           n.detail -> 'severity', n.detail -> 'stage', n.detail -> 'quiet')
          IS DISTINCT FROM (o.status, o.acknowledged_at, o.eta_at, o.assignee, o.parent, o.reopen_at,
                            o.detail -> 'severity', o.detail -> 'stage', o.detail -> 'quiet')
      AND (n.parent IS NULL OR EXISTS (SELECT FROM escalation e WHERE e.incident = n.id));
    IF FOUND THEN
        PERFORM pg_notify('milepost_escalation', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incident_changed AFTER UPDATE ON incident REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row
    FOR EACH STATEMENT EXECUTE FUNCTION incident_changed();

-- A page that reaches nobody makes the next step due at once.
CREATE FUNCTION page_lost() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO escalation_wake (incident) VALUES (NEW.incident);
    PERFORM pg_notify('milepost_escalation', '');
    RETURN NULL;
END $$;
CREATE TRIGGER page_lost AFTER UPDATE OF status, reason ON page FOR EACH ROW
    WHEN ((NEW.status = 'failed' OR NEW.reason = 'unreached') AND (NEW.status, NEW.reason) IS DISTINCT FROM (OLD.status, OLD.reason))
    EXECUTE FUNCTION page_lost();

-- Whoever keeps contacts, duties and routes in memory reads them anew.
CREATE FUNCTION routing_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('milepost_routing', '');
    RETURN NULL;
END $$;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['contact', 'contact_channel', 'duty', 'duty_substitute', 'route', 'day_class'] LOOP
        EXECUTE format('CREATE TRIGGER routing_changed AFTER INSERT OR UPDATE OR DELETE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION routing_changed()', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['incident_changed()', 'page_lost()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', name);
    END LOOP;
END $$;
