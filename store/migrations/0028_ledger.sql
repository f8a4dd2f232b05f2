-- The entries of the ledger: every act of a person and every edit, in exact bytes, written in the transaction of what they
-- describe (store/ledger.py). docs/ledger.md lists the kinds.
CREATE TABLE ledger_entry (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind    text NOT NULL CHECK (kind ~ '^[a-z_]+\.[a-z_]+$'),
    -- What the entry is about, such as incident/17 or station/6321220007.
    subject text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 200),
    -- An account, never a name as free text.
    actor   text NOT NULL REFERENCES account,
    at_ms   bigint NOT NULL CHECK (abs(at_ms) < 9007199254740992),
    -- The rest, as RFC 8785 of a JSON object.
    body    bytea NOT NULL CHECK (octet_length(body) BETWEEN 2 AND 65536)
);
CREATE INDEX ledger_entry_subject ON ledger_entry (subject, id);

-- Entries that are committed and not sealed yet. What seals them deletes them here.
CREATE TABLE ledger_pending (
    id bigint PRIMARY KEY REFERENCES ledger_entry
);

-- The salts of the hashes that stand for texts in entries (store/ledger_kinds.py). Blanking a text
-- deletes its salt too; then the text cannot be found by trying, and the entry stays as it is. Salts are not sealed.
CREATE TABLE ledger_salt (
    entry bigint REFERENCES ledger_entry,
    -- The field of the body.
    field text,
    salt  bytea NOT NULL CHECK (octet_length(salt) = 16),
    PRIMARY KEY (entry, field)
);

-- Rights keep the services from changing an entry; this keeps every role from it, the owner and superusers too, by accident.
-- It guards neither against DROP TABLE nor against a superuser who disables it: the ledger's signed heads show that.
-- A dump is restored all the same, because pg_restore fills the tables before it makes their triggers. A migration that must
-- rewrite entries disables the trigger in its transaction, and says why.
CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an entry of the ledger is written once: % is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Correct it by a further entry.';
END $$;
CREATE TRIGGER ledger_entry_is_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();
-- In sessions with session_replication_role = replica too.
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_is_written_once;
