-- Through which shard a terminal is heard, at each change: its gaps are unknown time of the station. The rows of state have the
-- present shard only, and a terminal may move without any transition. The first shard is that of its first transition.
CREATE TABLE shard_move (
    partition  integer NOT NULL,
    seq        bigint NOT NULL,
    station    text NOT NULL,
    terminal   text NOT NULL,
    before     text NOT NULL,
    after      text NOT NULL CHECK (after <> before),
    -- When the first message through the new shard was received.
    at         timestamptz NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (partition, seq)
);
CREATE INDEX shard_move_station ON shard_move (station, at);

CREATE FUNCTION shard_move_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'moves of terminals are written once: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER shard_move_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON shard_move
    FOR EACH STATEMENT EXECUTE FUNCTION shard_move_stays();
ALTER TABLE shard_move ENABLE ALWAYS TRIGGER shard_move_stays;
