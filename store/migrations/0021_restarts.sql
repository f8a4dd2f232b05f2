-- Restarts of the platform that somebody announced: what is interrupted meanwhile pages nobody, and is unknown time all
-- the same.
CREATE TABLE announced_restart (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_at  timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    actor    text NOT NULL CHECK (actor <> ''),
    reason   text NOT NULL CHECK (reason <> ''),
    CHECK (until_at > from_at AND until_at <= from_at + interval '10 minutes')
);
CREATE INDEX announced_restart_until ON announced_restart (until_at);
