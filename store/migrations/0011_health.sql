-- What records say of the health of terminals, by the rules; written by the consumer that evaluates them, behind the
-- fence of its offsets.

-- All that the rules remember of a terminal, as the program writes it (MessagePack): one row a terminal that each of
-- its messages rewrites, so nothing of it is indexed and every update stays on its page (HOT).
CREATE TABLE health_memory (
    station   text NOT NULL,
    terminal  text NOT NULL,
    memory    bytea NOT NULL,
    -- The newest receipt: what fires is known up to here.
    heard_at  timestamptz NOT NULL,
    PRIMARY KEY (station, terminal)
) WITH (fillfactor = 50);

-- What fires now. `subject` is empty where a terminal has only one.
CREATE TABLE health_state (
    station   text NOT NULL,
    terminal  text NOT NULL,
    rule      text NOT NULL,
    subject   text NOT NULL,
    partition integer NOT NULL,
    field     text NOT NULL,
    severity  text NOT NULL,
    threshold double precision,
    value     double precision,
    since     timestamptz NOT NULL,
    as_of     timestamptz NOT NULL,
    PRIMARY KEY (station, terminal, rule, subject)
);
CREATE INDEX health_state_partition ON health_state (partition, rule);

-- Each beginning and end of it, in the order of their partition, without gaps.
CREATE TABLE health_change (
    partition  integer NOT NULL,
    seq        bigint NOT NULL,
    station    text NOT NULL,
    terminal   text NOT NULL,
    rule       text NOT NULL,
    subject    text NOT NULL,
    firing     boolean NOT NULL,
    -- Of the rule as it fired; null when there is no such rule any more.
    field      text,
    severity   text,
    threshold  double precision,
    value      double precision,
    -- When it began (corrected time), and up to when it is known.
    since      timestamptz NOT NULL,
    as_of      timestamptz NOT NULL,
    -- Receipt of the message that decided it.
    at         timestamptz NOT NULL,
    reason     text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (partition, seq)
);

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
