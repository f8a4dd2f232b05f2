-- By how many partitions stations are spread: station states lie by partition, so the number never changes while this
-- database lives, also where the log is made anew at each start.

CREATE TABLE topic_layout (
    topic      text PRIMARY KEY,
    partitions integer NOT NULL CHECK (partitions > 0)
);

INSERT INTO topic_layout (topic, partitions) SELECT topic, max(partition) + 1 FROM consumer_offset GROUP BY topic;
