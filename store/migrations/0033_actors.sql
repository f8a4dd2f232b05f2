-- Histories name the account that acts. A client may say on whose behalf (`by`); that stays beside the account as a remark,
-- unchecked. Rows from before keep the free text that they have as the actor.
ALTER TABLE incident ADD COLUMN acknowledged_remark text CHECK (char_length(acknowledged_remark) <= 200);
ALTER TABLE incident_entry ADD COLUMN remark text CHECK (char_length(remark) <= 200);
ALTER TABLE closure
    ADD COLUMN declared_remark text CHECK (char_length(declared_remark) <= 200),
    ADD COLUMN approved_remark text CHECK (char_length(approved_remark) <= 200),
    ADD COLUMN withdrawn_remark text CHECK (char_length(withdrawn_remark) <= 200);
ALTER TABLE announced_restart ADD COLUMN remark text CHECK (char_length(remark) <= 200);
ALTER TABLE shard_decision ADD COLUMN remark text CHECK (char_length(remark) <= 200);
ALTER TABLE station_lifecycle ADD COLUMN remark text CHECK (char_length(remark) <= 200);
ALTER TABLE station_deleted ADD COLUMN remark text CHECK (char_length(remark) <= 200);

CREATE OR REPLACE FUNCTION station_lifecycle_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO station_lifecycle (station, at, before, after, actor, reason, remark)
    VALUES (NEW.id, now(), OLD.lifecycle, NEW.lifecycle, nullif(current_setting('milepost.actor', true), ''),
            nullif(current_setting('milepost.reason', true), ''), nullif(current_setting('milepost.remark', true), ''));
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION note_station_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO station_deleted (station, name, actor, reason, remark)
    VALUES (OLD.id, OLD.name, nullif(current_setting('milepost.actor', true), ''),
            nullif(current_setting('milepost.reason', true), ''), nullif(current_setting('milepost.remark', true), ''));
    RETURN NULL;
END $$;

-- Whether a text is the id of an account and not free text from before there were accounts. With the rights of the owner: an
-- account outside the caller's scope is an account too.
CREATE FUNCTION is_account(wanted text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT EXISTS (SELECT FROM account WHERE id = wanted)
$$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION is_account(text) SET search_path = %I, pg_temp', current_schema());
END $$;

-- Approval takes a second account (registry/closures/rules.py); a statement that does not ask the rule is refused too. A
-- closure that was declared in free text has no known declarer: any account may approve it.
CREATE FUNCTION refuse_own_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'closure % is approved by the account that declared it', NEW.id USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER closure_takes_two BEFORE INSERT OR UPDATE OF declared_by, approved_by ON closure
    FOR EACH ROW WHEN (NEW.approved_by = NEW.declared_by) EXECUTE FUNCTION refuse_own_approval();
