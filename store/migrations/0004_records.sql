-- What terminals recorded. A record is told apart by (station, terminal, box, id) in record_box, not by an index
-- on a time that devices get wrong. `ts` is the corrected time fixed at first receipt; device_at (ms), up (s) and
-- received_at are kept beside it, so that it can be derived again.

CREATE TABLE record_box (
    station   text NOT NULL,
    terminal  text NOT NULL,
    box       text NOT NULL,
    seen      int8multirange NOT NULL,
    -- Between what its boot must have run when its own clock has no anchor; fixed when the box is met.
    after_at  timestamptz,
    before_at timestamptz,
    PRIMARY KEY (station, terminal, box)
) WITH (fillfactor = 60);

-- The least (receive - up) of a boot, in seconds since the epoch: when its monotonic clock read 0, at the latest.
CREATE TABLE boot_anchor (
    station  text NOT NULL,
    terminal text NOT NULL,
    boot     text NOT NULL,
    run      bigint NOT NULL,
    anchor   double precision NOT NULL,
    first_at timestamptz NOT NULL,
    last_at  timestamptz NOT NULL,
    PRIMARY KEY (station, terminal, boot)
) WITH (fillfactor = 60);

CREATE TABLE health (
    ts          timestamptz NOT NULL,
    station     text NOT NULL,
    terminal    text NOT NULL,
    box         text NOT NULL,
    id          bigint NOT NULL,
    device_at   bigint NOT NULL,
    up          double precision,
    received_at timestamptz NOT NULL,
    time_source text NOT NULL,
    cpu         real,
    mem         real,
    disk        real,
    temp        real,
    rtt_ms      real,
    rx          bigint,
    tx          bigint,
    wifi        boolean,
    services    jsonb
);
CREATE INDEX health_station_ts ON health (station, ts DESC);

CREATE TABLE usage (
    ts          timestamptz NOT NULL,
    station     text NOT NULL,
    terminal    text NOT NULL,
    box         text NOT NULL,
    id          bigint NOT NULL,
    device_at   bigint NOT NULL,
    up          double precision,
    received_at timestamptz NOT NULL,
    time_source text NOT NULL,
    until       timestamptz,
    device_until bigint,
    sessions    bigint,
    minutes     double precision,
    by          jsonb,
    bytes       bigint
);
CREATE INDEX usage_station_ts ON usage (station, ts DESC);

CREATE TABLE inventory (
    ts          timestamptz NOT NULL,
    station     text NOT NULL,
    terminal    text NOT NULL,
    box         text NOT NULL,
    id          bigint NOT NULL,
    device_at   bigint NOT NULL,
    up          double precision,
    received_at timestamptz NOT NULL,
    time_source text NOT NULL,
    model       text,
    serial      text,
    os          text,
    agent       text,
    cpu         text,
    mem_bytes   bigint,
    disk_bytes  bigint,
    installed   text,
    resources   jsonb
);
CREATE INDEX inventory_station_ts ON inventory (station, ts DESC);

CREATE TABLE presence (
    ts           timestamptz NOT NULL,
    station      text NOT NULL,
    terminal     text NOT NULL,
    box          text NOT NULL,
    id           bigint NOT NULL,
    device_at    bigint NOT NULL,
    up           double precision,
    received_at  timestamptz NOT NULL,
    time_source  text NOT NULL,
    until        timestamptz,
    device_until bigint,
    until_up     double precision,
    usable       boolean
);
CREATE INDEX presence_station_ts ON presence (station, ts DESC);

CREATE TABLE event (
    ts          timestamptz NOT NULL,
    station     text NOT NULL,
    terminal    text NOT NULL,
    box         text NOT NULL,
    id          bigint NOT NULL,
    device_at   bigint NOT NULL,
    up          double precision,
    received_at timestamptz NOT NULL,
    time_source text NOT NULL,
    name        text,
    detail      jsonb
);
CREATE INDEX event_station_ts ON event (station, ts DESC);

CREATE TABLE command_reply (
    station     text NOT NULL,
    terminal    text NOT NULL,
    command     text NOT NULL,
    stage       text NOT NULL,
    device_at   bigint,
    received_at timestamptz NOT NULL,
    result      jsonb,
    PRIMARY KEY (station, terminal, command, stage)
);

CREATE TABLE dead_letter (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The place in the log it came from, so that a replay adds none.
    source  text UNIQUE,
    at      timestamptz NOT NULL,
    topic   text NOT NULL,
    station text,
    reason  text NOT NULL,
    detail  text NOT NULL,
    excerpt text NOT NULL,
    size    integer NOT NULL,
    refused integer NOT NULL,
    shard   text NOT NULL
);
