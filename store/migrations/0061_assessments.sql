-- Assessments of an area for a month or a year (audit/assessments). A row has all that the result is made of, so that the result
-- can be computed again to the byte, whatever changes later. A further assessment of the same period is a further revision.
CREATE TABLE assessment (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- NULL: everything. No foreign key: the row outlives a code.
    area          text,
    period        text NOT NULL CHECK (period ~ '^\d{4}(-\d{2})?$'),
    revision      integer NOT NULL CHECK (revision > 0),
    -- Why there is a further revision.
    why           text CHECK (length(why) BETWEEN 1 AND 4000),
    made_at       timestamptz NOT NULL,
    made_by       text NOT NULL,
    made_remark   text,
    method        integer NOT NULL,
    rules_name    text NOT NULL,
    rules_version integer NOT NULL,
    -- Of the whole area, for lists: hundredths of points.
    score         integer,
    places        integer NOT NULL,
    outcome       text NOT NULL CHECK (outcome IN ('pass', 'warn', 'fail', 'none')),
    rules         text NOT NULL CHECK (length(rules) <= 65536),
    inputs        bytea NOT NULL,
    result        bytea NOT NULL,
    CHECK ((why IS NULL) = (revision = 1))
);
CREATE UNIQUE INDEX assessment_period ON assessment (coalesce(area, ''), period, revision);

CREATE FUNCTION assessment_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an assessment is written once: % is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Make a further revision.';
END $$;
CREATE TRIGGER assessment_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON assessment
    FOR EACH STATEMENT EXECUTE FUNCTION assessment_stays();
ALTER TABLE assessment ENABLE ALWAYS TRIGGER assessment_stays;
