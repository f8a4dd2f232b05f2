-- Findings of auditors, disputes of stations, and corrections of history by two persons (audit/findings).

CREATE TABLE finding (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- finding: an auditor about a day or an incident; dispute: a person of the station about an interval.
    kind        text NOT NULL CHECK (kind IN ('finding', 'dispute')),
    station     text NOT NULL REFERENCES station,
    incident    bigint REFERENCES incident,
    from_at     timestamptz NOT NULL,
    until_at    timestamptz NOT NULL CHECK (until_at > from_at),
    text        text NOT NULL CHECK (length(text) BETWEEN 1 AND 4000),
    made_by     text NOT NULL,
    made_at     timestamptz NOT NULL,
    answer      text,
    answered_by text,
    answered_at timestamptz,
    closed_by   text,
    closed_at   timestamptz,
    closed_why  text,
    CHECK ((answer IS NULL) = (answered_at IS NULL)),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);
CREATE INDEX finding_station ON finding (station, from_at);
CREATE INDEX finding_open ON finding (id) WHERE closed_at IS NULL;
ALTER TABLE photo ADD CONSTRAINT photo_finding_fkey FOREIGN KEY (finding) REFERENCES finding;

-- An interval of a station that counts otherwise than observed, proposed by one person and approved by another.
CREATE TABLE correction (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station     text NOT NULL REFERENCES station,
    finding     bigint REFERENCES finding,
    from_at     timestamptz NOT NULL,
    until_at    timestamptz NOT NULL CHECK (until_at > from_at),
    counts_as   text NOT NULL CHECK (counts_as IN ('up', 'down', 'unknown', 'excused')),
    reason      text NOT NULL CHECK (length(reason) BETWEEN 1 AND 4000),
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    approved_by text,
    approved_at timestamptz,
    refused_by  text,
    refused_at  timestamptz,
    CHECK (approved_by IS DISTINCT FROM proposed_by),
    CHECK (num_nonnulls(approved_at, refused_at) <= 1)
);
CREATE INDEX correction_station ON correction (station, from_at) WHERE approved_at IS NOT NULL;
