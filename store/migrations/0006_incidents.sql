-- One row per thing that is wrong, and what people and the delivery did about it.

CREATE TABLE incident (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL,
    -- What is wrong, in one word: at most one incident of a key is not closed.
    key             text NOT NULL,
    station         text,
    area            text,
    shard           text,
    status          text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'acknowledged', 'closed')),
    began_at        timestamptz NOT NULL,
    opened_at       timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text,
    assignee        text,
    closed_at       timestamptz,
    ended_at        timestamptz,
    parent          bigint REFERENCES incident,
    detail          jsonb NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX incident_one_open ON incident (key) WHERE status <> 'closed';
CREATE INDEX incident_key ON incident (key, id DESC);
CREATE INDEX incident_station ON incident (station, began_at);
CREATE INDEX incident_parent ON incident (parent) WHERE parent IS NOT NULL;

-- What happened to it and who did it: opened, notified, acknowledged, assigned, note, resolved, closed.
CREATE TABLE incident_entry (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident bigint NOT NULL REFERENCES incident,
    at       timestamptz NOT NULL DEFAULT now(),
    actor    text NOT NULL,
    action   text NOT NULL,
    text     text
);
CREATE INDEX incident_entry_incident ON incident_entry (incident, id);

-- What people are to be told, written with the decision.
CREATE TABLE notification (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident   bigint NOT NULL REFERENCES incident,
    phase      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When deliver made a delivery for each target of it.
    spread_at  timestamptz,
    UNIQUE (incident, phase)
);
CREATE INDEX notification_unspread ON notification (id) WHERE spread_at IS NULL;

-- The outbox: one row per notification and target, marked only after the target took it.
CREATE TABLE delivery (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notification    bigint NOT NULL REFERENCES notification,
    target          text NOT NULL,
    idempotency_key text NOT NULL UNIQUE,
    status          text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sent', 'failed')),
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    sent_at         timestamptz,
    last_error      text,
    UNIQUE (notification, target)
);
-- In the order in which a target's lane takes them, so that a storm of thousands costs each one a look at one row.
CREATE INDEX delivery_due ON delivery (target, next_attempt_at, id) WHERE status = 'pending';
