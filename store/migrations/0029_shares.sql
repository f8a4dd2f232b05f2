-- Shares: what each county has of an incident with children. The incident process writes the counts in the transaction
-- in which it writes the children; an account whose scope has the county acknowledges its share.

-- The county of an area; an area without a county above it stands for itself.
CREATE FUNCTION share_area(area text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT up.code FROM area own JOIN area up ON up.code = ANY (own.path) AND up.level = 'county'
                     WHERE own.code = $1 ORDER BY cardinality(up.path) LIMIT 1), $1)
$$;

CREATE TABLE incident_share (
    incident bigint NOT NULL REFERENCES incident DEFERRABLE INITIALLY DEFERRED,
    area     text NOT NULL,
    -- How many stations of the area were ever down by this incident, and how many still are. Terminals instead of
    -- stations for an incident of a health rule, areas for a blind spot.
    children integer NOT NULL CHECK (children >= 0),
    down     integer NOT NULL CHECK (down >= 0),
    PRIMARY KEY (incident, area)
) WITH (fillfactor = 70);
CREATE INDEX incident_share_area ON incident_share (area, incident);

-- The acknowledgements of shares. A table of their own: a row that both a person and the incident process change would fail
-- the pass of the process, whose transactions are of the level repeatable read.
CREATE TABLE incident_share_ack (
    incident        bigint NOT NULL,
    area            text NOT NULL,
    acknowledged_at timestamptz NOT NULL,
    acknowledged_by text NOT NULL,
    -- On whose behalf, as the client said; unchecked.
    acknowledged_remark text CHECK (char_length(acknowledged_remark) <= 200),
    PRIMARY KEY (incident, area),
    FOREIGN KEY (incident, area) REFERENCES incident_share
);
CREATE INDEX incident_share_ack_area ON incident_share_ack (area, incident);

-- A station may have had several incidents under one parent: they are found with one look.
DROP INDEX incident_parent;
CREATE INDEX incident_parent ON incident (parent, station) WHERE parent IS NOT NULL;

-- The share whose holder acted; NULL: the act, or the decision, is about the whole incident.
ALTER TABLE incident_entry ADD COLUMN share text;

-- The incidents that go on, and those that are over while a child goes on. The rule is that of the query recount_shares.
INSERT INTO incident_share (incident, area, children, down)
SELECT child.parent, place.share, count(DISTINCT child.thing), count(DISTINCT child.thing) FILTER (WHERE child.down)
FROM (SELECT c.parent, c.area, c.status <> 'closed' OR c.reopen_at IS NOT NULL AS down,
             CASE WHEN c.kind <> 'health' AND c.station IS NOT NULL THEN c.station
                  WHEN c.kind = 'health' OR p.kind = 'blind_spot' THEN c.key END AS thing
      FROM incident c JOIN incident p ON p.id = c.parent
      WHERE c.area IS NOT NULL AND p.station IS NULL
        AND (p.status <> 'closed' OR p.reopen_at IS NOT NULL
             OR EXISTS (SELECT FROM incident other WHERE other.parent = p.id
                        AND (other.status <> 'closed' OR other.reopen_at IS NOT NULL)))) AS child
JOIN (SELECT area, share_area(area) AS share FROM (SELECT DISTINCT area FROM incident WHERE area IS NOT NULL) AS a) AS place
  ON place.area = child.area
WHERE child.thing IS NOT NULL
GROUP BY child.parent, place.share;
