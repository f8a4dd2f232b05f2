-- What the judges know and have decided. One writer per partition.

CREATE TABLE partition_clock (
    partition   integer NOT NULL,
    shard       text NOT NULL,
    -- Seconds of pipeline time: the sum of the tick intervals that counted.
    clock       double precision NOT NULL,
    tick_at     timestamptz NOT NULL,
    judged_at   timestamptz NOT NULL,
    -- Start of the interval that does not count and is still going on.
    blind_since timestamptz,
    memory      jsonb NOT NULL,
    PRIMARY KEY (partition, shard)
) WITH (fillfactor = 50);

-- No index on what a heartbeat changes, so that every update stays on its page (HOT).
CREATE TABLE terminal_state (
    station   text NOT NULL,
    terminal  text NOT NULL,
    partition integer NOT NULL,
    shard     text NOT NULL,
    state     text NOT NULL,
    since     timestamptz,
    seen_at   timestamptz,
    boot      text NOT NULL,
    run       bigint NOT NULL,
    conn      bigint NOT NULL,
    n         bigint NOT NULL,
    every     double precision NOT NULL,
    -- Pipeline seconds on the clock of (partition, shard).
    seen      double precision NOT NULL,
    deadline  double precision NOT NULL,
    usable    boolean,
    users     bigint,
    -- What few terminals have: older boots, a boot not yet believed, a will, an away.
    memory    jsonb,
    PRIMARY KEY (station, terminal)
) WITH (fillfactor = 60);
CREATE INDEX terminal_state_partition ON terminal_state (partition);

CREATE TABLE station_state (
    station   text PRIMARY KEY,
    partition integer NOT NULL,
    state     text NOT NULL,
    since     timestamptz NOT NULL,
    usable    boolean,
    memory    jsonb
) WITH (fillfactor = 60);
CREATE INDEX station_state_partition ON station_state (partition);

-- Decided changes, in the order of their partition. terminal is null in a station's own.
CREATE TABLE transition (
    partition  integer NOT NULL,
    seq        bigint NOT NULL,
    station    text NOT NULL,
    terminal   text,
    before     text NOT NULL,
    after      text NOT NULL,
    usable     boolean,
    -- Since when it holds; an offline is back-dated to when the first missed heartbeat was due.
    at         timestamptz NOT NULL,
    -- The tick that decided it (the bridge's wall clock), and the end of the silence that was allowed.
    tick_at    timestamptz NOT NULL,
    deadline_at timestamptz,
    -- The last heartbeat before it.
    seen_at    timestamptz,
    shard      text NOT NULL,
    reason     text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (partition, seq)
);
CREATE INDEX transition_station ON transition (station, at);

-- Intervals in which the platform itself was blind: unknown time (U) of every station of the partition and shard.
CREATE TABLE pipeline_gap (
    partition integer NOT NULL,
    seq       bigint NOT NULL,
    shard     text NOT NULL,
    began_at  timestamptz NOT NULL,
    ended_at  timestamptz NOT NULL,
    reason    text NOT NULL,
    PRIMARY KEY (partition, seq)
);
CREATE INDEX pipeline_gap_time ON pipeline_gap (partition, shard, began_at);

-- When nearly all terminals of a shard fall together the shard is suspected; a person may decide that it is sound and
-- that its stations really fell.
CREATE TABLE shard_decision (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard      text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor      text NOT NULL
);
CREATE INDEX shard_decision_shard ON shard_decision (shard, decided_at);
