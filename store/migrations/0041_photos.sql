-- Photos: evidence of a repair, a closure or an answer. Written anew, without the place or the time of the camera
-- (registry/photos).

CREATE TABLE photo (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- Of the bytes below; stands in the ledger.
    sha256      bytea NOT NULL CHECK (octet_length(sha256) = 32),
    jpeg        bytea NOT NULL CHECK (octet_length(jpeg) <= 1000000),
    width       integer NOT NULL,
    height      integer NOT NULL,
    incident    bigint REFERENCES incident,
    closure     bigint REFERENCES closure ON DELETE CASCADE,
    finding     bigint,
    made_by     text NOT NULL REFERENCES account,
    made_remark text,
    made_at     timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(incident, closure, finding) = 1)
);
-- A picture that is compressed already.
ALTER TABLE photo ALTER COLUMN jpeg SET STORAGE EXTERNAL;
-- One that is sent twice is one photo.
CREATE UNIQUE INDEX photo_incident ON photo (incident, sha256) WHERE incident IS NOT NULL;
CREATE UNIQUE INDEX photo_closure ON photo (closure, sha256) WHERE closure IS NOT NULL;
CREATE UNIQUE INDEX photo_finding ON photo (finding, sha256) WHERE finding IS NOT NULL;
