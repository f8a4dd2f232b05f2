-- Photos: evidence of a repair or a closure. Re-encoded, without the place or the time of the camera (evidence/photos).

CREATE TABLE photo (
    id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- Of the bytes below; stands in the ledger.
    sha256   bytea NOT NULL CHECK (octet_length(sha256) = 32),
    jpeg     bytea NOT NULL CHECK (octet_length(jpeg) <= 1000000),
    width    integer NOT NULL,
    height   integer NOT NULL,
    incident bigint REFERENCES incident,
    closure  bigint REFERENCES closure ON DELETE CASCADE,
    finding  bigint,
    made_by  text NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(incident, closure, finding) = 1)
);
CREATE INDEX photo_incident ON photo (incident) WHERE incident IS NOT NULL;
CREATE INDEX photo_closure ON photo (closure) WHERE closure IS NOT NULL;
CREATE INDEX photo_finding ON photo (finding) WHERE finding IS NOT NULL;
