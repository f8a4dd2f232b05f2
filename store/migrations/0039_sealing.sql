-- The ledger as one Merkle log (audit/ledger, docs/ledger.md): its head, the tiles of hashes, and which rows are its leaves.
-- One sealer writes these tables. The rows themselves stay in ledger_entry, transition, pipeline_gap and health_change.

-- The one log: its size and root, and the hashes that fill no tile yet (one element a level, 32 bytes a hash).
CREATE TABLE ledger_head (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    origin     text NOT NULL CHECK (char_length(origin) BETWEEN 1 AND 200),
    size       bigint NOT NULL CHECK (size >= 0),
    root       bytea NOT NULL CHECK (octet_length(root) = 32),
    tails      bytea[] NOT NULL,
    sealed_at  timestamptz NOT NULL DEFAULT now(),
    -- The newest signed checkpoint, with what witnesses signed; written after the commit of what it signs.
    note       text
);

-- Full tiles of 256 hashes. Level 0: leaves; a hash of a higher level is the root of a tile of the level below.
CREATE TABLE ledger_tile (
    level  smallint NOT NULL,
    number bigint NOT NULL,
    hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192),
    PRIMARY KEY (level, number)
);

-- Which rows are which leaves: `count` leaves from `begins` on are the rows of `source` numbered `first`, `first` + 1, …
CREATE TABLE ledger_run (
    begins    bigint PRIMARY KEY,
    count     integer NOT NULL CHECK (count > 0),
    source    text NOT NULL CHECK (source IN ('ledger_entry', 'transition', 'pipeline_gap', 'health_change')),
    -- 0 for entries, whose number is their id.
    partition integer NOT NULL,
    first     bigint NOT NULL,
    UNIQUE (source, partition, first)
);

-- Signed checkpoints that are kept: about one an hour, and each that a witness signed.
CREATE TABLE ledger_checkpoint (
    origin    text NOT NULL,
    size      bigint NOT NULL,
    note      text NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (origin, size, signed_at)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_tile', 'ledger_run', 'ledger_checkpoint'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()', name || '_is_written_once', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', name, name || '_is_written_once');
    END LOOP;
END $$;
CREATE TRIGGER ledger_head_is_kept BEFORE DELETE OR TRUNCATE ON ledger_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();
ALTER TABLE ledger_head ENABLE ALWAYS TRIGGER ledger_head_is_kept;

-- A log only grows.
CREATE FUNCTION refuse_ledger_shrink() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger has % leaves and cannot get %', OLD.size, NEW.size
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER ledger_head_grows BEFORE UPDATE ON ledger_head
    FOR EACH ROW WHEN (NEW.size < OLD.size OR NEW.origin <> OLD.origin) EXECUTE FUNCTION refuse_ledger_shrink();
ALTER TABLE ledger_head ENABLE ALWAYS TRIGGER ledger_head_grows;
