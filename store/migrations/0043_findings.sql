-- Findings of auditors, disputes of stations, and corrections of history by two persons (audit/findings).

CREATE TABLE finding (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- finding: an auditor about some time of a station, or about an incident; dispute: a person of the station about a time.
    kind            text NOT NULL CHECK (kind IN ('finding', 'dispute')),
    station         text NOT NULL REFERENCES station,
    incident        bigint REFERENCES incident,
    from_at         timestamptz NOT NULL,
    until_at        timestamptz NOT NULL CHECK (until_at > from_at),
    text            text NOT NULL CHECK (length(text) BETWEEN 1 AND 4000),
    made_by         text NOT NULL,
    made_remark     text,
    made_at         timestamptz NOT NULL,
    answer          text CHECK (length(answer) BETWEEN 1 AND 4000),
    answered_by     text,
    answered_remark text,
    answered_at     timestamptz,
    closed_by       text CHECK (closed_by <> answered_by),
    closed_remark   text,
    closed_at       timestamptz,
    closed_why      text CHECK (length(closed_why) BETWEEN 1 AND 4000),
    CHECK (num_nulls(answer, answered_by, answered_at) IN (0, 3)),
    CHECK (num_nulls(closed_why, closed_by, closed_at) IN (0, 3))
);
CREATE INDEX finding_station ON finding (station, id);
CREATE INDEX finding_incident ON finding (incident) WHERE incident IS NOT NULL;
CREATE INDEX finding_open ON finding (id) WHERE closed_at IS NULL;
ALTER TABLE photo ADD CONSTRAINT photo_finding_fkey FOREIGN KEY (finding) REFERENCES finding;

-- A time of a station that counts otherwise than observed, proposed by one person and approved by another. `observed`: it counts
-- as observed again. Where several are of the same time, the one that was approved last counts.
CREATE TABLE correction (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station         text NOT NULL REFERENCES station,
    finding         bigint REFERENCES finding,
    from_at         timestamptz NOT NULL,
    until_at        timestamptz NOT NULL CHECK (until_at > from_at),
    counts_as       text NOT NULL CHECK (counts_as IN ('up', 'down', 'unknown', 'excused', 'observed')),
    reason          text NOT NULL CHECK (length(reason) BETWEEN 1 AND 4000),
    proposed_by     text NOT NULL,
    proposed_remark text,
    proposed_at     timestamptz NOT NULL,
    decision        text CHECK (decision IN ('approved', 'refused')),
    decided_by      text,
    decided_remark  text,
    decided_at      timestamptz,
    decided_why     text CHECK (length(decided_why) <= 4000),
    CHECK (num_nulls(decision, decided_by, decided_at) IN (0, 3)),
    CHECK (decision IS DISTINCT FROM 'approved' OR decided_by <> proposed_by)
);
CREATE INDEX correction_station ON correction (station, from_at) WHERE decision = 'approved';
CREATE INDEX correction_finding ON correction (finding) WHERE finding IS NOT NULL;
CREATE INDEX correction_open ON correction (id) WHERE decision IS NULL;

-- The kept days follow an approved correction.
CREATE FUNCTION touch_days_of_correction() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.decision = 'approved' AND OLD.decision IS NULL THEN
        INSERT INTO day_touch (station, began_at, ended_at, cause)
        VALUES (NEW.station, NEW.from_at, NEW.until_at, 'correction');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER touch_days AFTER UPDATE ON correction FOR EACH ROW EXECUTE FUNCTION touch_days_of_correction();

-- A station with a finding or a correction has a history, and is retired instead of deleted.
CREATE OR REPLACE FUNCTION station_has_history(wanted text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM terminal_state WHERE station = wanted)
        OR EXISTS (SELECT FROM station_state WHERE station = wanted)
        OR EXISTS (SELECT FROM station_lifecycle WHERE station = wanted)
        OR EXISTS (SELECT FROM incident WHERE station = wanted)
        OR EXISTS (SELECT FROM closure WHERE station = wanted)
        OR EXISTS (SELECT FROM terminal_facts WHERE station = wanted)
        OR EXISTS (SELECT FROM record_box WHERE station = wanted)
        OR EXISTS (SELECT FROM boot_anchor WHERE station = wanted)
        OR EXISTS (SELECT FROM transition WHERE station = wanted)
        OR EXISTS (SELECT FROM health WHERE station = wanted)
        OR EXISTS (SELECT FROM health_memory WHERE station = wanted)
        OR EXISTS (SELECT FROM health_state WHERE station = wanted)
        OR EXISTS (SELECT FROM flapping_memory WHERE station = wanted)
        OR EXISTS (SELECT FROM usage WHERE station = wanted)
        OR EXISTS (SELECT FROM presence WHERE station = wanted)
        OR EXISTS (SELECT FROM inventory WHERE station = wanted)
        OR EXISTS (SELECT FROM event WHERE station = wanted)
        OR EXISTS (SELECT FROM command_reply WHERE station = wanted)
        OR EXISTS (SELECT FROM finding WHERE station = wanted)
        OR EXISTS (SELECT FROM correction WHERE station = wanted)
$$;
