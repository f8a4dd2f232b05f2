-- Repairs: what a person says was wrong and was done, and whether it held (alerting/repairs).

CREATE TABLE repair (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident    bigint NOT NULL REFERENCES incident,
    at          timestamptz NOT NULL,
    made_by     text NOT NULL,
    -- A word of the glossary (family repair_cause): power, uplink, agent, …
    cause       text NOT NULL,
    parts       text NOT NULL DEFAULT '',
    text        text NOT NULL DEFAULT '',
    -- The person says that the fault is mended: verified until then. NULL: a note of a cause only.
    verify_until timestamptz,
    -- held: nothing was wrong until then; failed: the fault was there or came back.
    outcome     text CHECK (outcome IN ('held', 'failed', 'overtaken')),
    outcome_at  timestamptz,
    CHECK ((outcome IS NULL) = (outcome_at IS NULL))
);
CREATE INDEX repair_incident ON repair (incident, id);
CREATE INDEX repair_waiting ON repair (verify_until) WHERE verify_until IS NOT NULL AND outcome IS NULL;
