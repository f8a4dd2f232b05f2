-- Browsers that are signed in, and the codes of one-use links. Both are rows, so that each can be ended; both lie here as
-- SHA-256 of their secret, so that who reads the table gets in nowhere. The one account until now is `admin`.
CREATE TABLE session (
    key        bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    account    text NOT NULL CHECK (account <> ''),
    -- A wall display only looks, and stays signed in for as long as it is used.
    wall       boolean NOT NULL,
    created_at timestamptz NOT NULL,
    used_at    timestamptz NOT NULL
);

CREATE TABLE signin_code (
    key      bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    account  text NOT NULL CHECK (account <> ''),
    until_at timestamptz NOT NULL
);
