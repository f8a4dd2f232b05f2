-- From where an account signed in lately: wrong passwords from elsewhere do not hold a person back there. `place` is an HMAC
-- over the account and an address or a browser's cookie, keyed by the admin token: a reader of the table learns neither.
CREATE TABLE known_place (
    account text NOT NULL REFERENCES account,
    place   bytea NOT NULL CHECK (octet_length(place) = 32),
    used_at timestamptz NOT NULL,
    PRIMARY KEY (account, place)
);

-- A person sees and ends sessions of the own account, and a new password ends them.
CREATE INDEX session_account ON session (account);
CREATE INDEX signin_code_account ON signin_code (account);
