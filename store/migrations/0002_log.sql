-- Where each consumer stands in the log. Every batch compares and sets its row by (owner, next_offset) in the
-- transaction of its rows: a zombie is fenced, and a batch is stored once.

CREATE TABLE consumer_offset (
    consumer    text NOT NULL,
    topic       text NOT NULL,
    partition   integer NOT NULL,
    -- The log's identity: an in-memory broker is a new log at each start, and offsets begin at 0 again.
    log         text NOT NULL,
    next_offset bigint NOT NULL,
    owner       bigint NOT NULL,
    instance    text NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, topic, partition)
) WITH (fillfactor = 50);

-- How far the single readers of a partition's transitions and gaps have come.
CREATE TABLE stream_cursor (
    reader    text NOT NULL,
    partition integer NOT NULL,
    seq       bigint NOT NULL,
    PRIMARY KEY (reader, partition)
) WITH (fillfactor = 50);
