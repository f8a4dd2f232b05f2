-- Accounts with their roles and scopes, and API tokens. Passwords lie here as argon2id hashes, tokens as SHA-256 of their
-- secret, so that who reads the tables gets in nowhere. Nothing is deleted: histories name accounts by their ids.

CREATE TABLE account (
    id          text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    -- What its person types to sign in, and how its person is shown.
    login       text NOT NULL CHECK (login ~ '^[^[:space:][:cntrl:]]{1,64}$'),
    name        text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 64),
    role        text NOT NULL CHECK (role IN ('admin', 'supervisor', 'technician', 'auditor')),
    -- Everything; otherwise the areas of account_area with all below them.
    whole       boolean NOT NULL,
    -- NULL: it cannot sign in by a password.
    password    text,
    password_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text REFERENCES account,
    disabled_at timestamptz,
    disabled_by text REFERENCES account,
    CHECK ((password IS NULL) = (password_at IS NULL)),
    CHECK ((disabled_at IS NULL) = (disabled_by IS NULL))
);
CREATE UNIQUE INDEX account_login ON account (lower(login));

CREATE TABLE account_area (
    account text NOT NULL REFERENCES account,
    area    text NOT NULL REFERENCES area,
    PRIMARY KEY (account, area)
);

-- `admin` is whoever holds the admin token of the data directory or a link made with it; `operator` acts by commands on
-- the machine itself; `system` is what no person did. None of them has a password.
INSERT INTO account (id, login, name, role, whole) VALUES
    ('admin', 'admin', 'admin', 'admin', true),
    ('operator', 'operator', 'operator', 'admin', true),
    ('system', 'system', 'system', 'auditor', true);

CREATE TABLE api_token (
    id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9]{8,16}$'),
    key        bytea NOT NULL UNIQUE CHECK (octet_length(key) = 32),
    -- Who acts when it is used. It may do what both its own role and scope and those of its account allow.
    account    text NOT NULL REFERENCES account,
    name       text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 64),
    role       text NOT NULL CHECK (role IN ('admin', 'supervisor', 'technician', 'auditor')),
    whole      boolean NOT NULL,
    areas      text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL REFERENCES account,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_by text REFERENCES account,
    CHECK (expires_at > created_at),
    CHECK (whole <> (cardinality(areas) > 0)),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
CREATE INDEX api_token_account ON api_token (account);
