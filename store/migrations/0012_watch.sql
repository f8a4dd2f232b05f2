-- Signs of life of the services that decide and tell, for whoever watches them from outside.
CREATE TABLE service_sign (
    service  text NOT NULL,
    instance text NOT NULL,
    at       timestamptz NOT NULL,
    -- leading, standby or working
    role     text NOT NULL,
    detail   jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (service, instance)
) WITH (fillfactor = 50);

-- How far each partition of the log reaches, as the outside check saw it: behind it is a consumer's lag.
CREATE TABLE log_end (
    topic      text NOT NULL,
    partition  integer NOT NULL,
    log        text NOT NULL,
    end_offset bigint NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

-- The shard that the newest sign of a station came through: with the partition it names the clock of its state.
ALTER TABLE station_state ADD COLUMN shard text;
UPDATE station_state AS s SET shard = (
    SELECT t.shard FROM terminal_state t WHERE t.station = s.station
    ORDER BY t.seen_at DESC NULLS LAST, t.terminal LIMIT 1);

-- The window in which the judge counted a terminal among those that lose messages, so that a restart counts on.
ALTER TABLE terminal_state ADD COLUMN loss_window bigint NOT NULL DEFAULT -1;
