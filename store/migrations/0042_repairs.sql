-- Repairs: what a person says was wrong and was done, and whether it held (alerting/repairs).

CREATE TABLE repair (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident    bigint NOT NULL REFERENCES incident,
    at          timestamptz NOT NULL,
    made_by     text NOT NULL,
    -- The person for whom the account acts, unchecked.
    remark      text,
    -- A word of the glossary (family repair_cause): power, uplink, agent, …
    cause       text NOT NULL CHECK (cause ~ '^[0-9a-z_]{1,32}$'),
    parts       text NOT NULL DEFAULT '' CHECK (length(parts) <= 500),
    text        text NOT NULL DEFAULT '' CHECK (length(text) <= 4000),
    -- The person says that the fault is repaired: for so long nothing may be wrong. NULL: a note of a cause only.
    stable      interval CHECK (stable > '0'),
    -- At the latest then it is looked at again.
    verify_at   timestamptz,
    -- held: nothing was wrong for so long; failed: the fault was there or came back; overtaken: it could not be verified.
    outcome     text CHECK (outcome IN ('held', 'failed', 'overtaken')),
    -- Why, as a word of the glossary (family reason).
    why         text,
    outcome_at  timestamptz,
    -- The incident with which the fault came back, if it is another one.
    back_as     bigint REFERENCES incident,
    CHECK ((outcome IS NULL) = (outcome_at IS NULL)),
    CHECK ((stable IS NULL) = (verify_at IS NULL)),
    CHECK (outcome IS NULL OR stable IS NOT NULL)
);
CREATE INDEX repair_incident ON repair (incident, id);
-- Of each incident only the latest is verified.
CREATE UNIQUE INDEX repair_waiting ON repair (incident) WHERE stable IS NOT NULL AND outcome IS NULL;

-- Whoever says that a fault is repaired is told whether that held.
ALTER TABLE page DROP CONSTRAINT page_phase_check;
ALTER TABLE page ADD CONSTRAINT page_phase_check CHECK (phase IN
    ('opened', 'escalated', 'reminder', 'reopened', 'resolved', 'passed', 'closed', 'held', 'not_held'));
