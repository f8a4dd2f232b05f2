-- What the newest records of each terminal say, for blind spots; written by the consumer that evaluates health rules.
CREATE TABLE terminal_facts (
    station         text NOT NULL,
    terminal        text NOT NULL,
    partition       integer NOT NULL,
    agent           text,
    serial          text,
    -- Whether its access point works, and since when it says so.
    wifi            boolean,
    wifi_since      timestamptz,
    -- The newest usage with a session, the newest resource applied.
    last_session_at timestamptz,
    resource_at     timestamptz,
    -- Since when its records were heard, so that "none for 14 days" has a beginning.
    first_at        timestamptz NOT NULL,
    changed_xid     xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (station, terminal)
);
CREATE INDEX terminal_facts_partition ON terminal_facts (partition);
CREATE INDEX terminal_facts_changed ON terminal_facts (changed_xid);
