-- Links in messages to persons: a link is a session for one incident and one contact (access/links, docs/links.md).

-- The key that signs tokens of links; one row, made by whoever needs it first.
CREATE TABLE link_key (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    key bytea NOT NULL CHECK (octet_length(key) = 32)
);

CREATE TABLE link (
    -- The token has 32 bits for it.
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident   bigint NOT NULL REFERENCES incident,
    contact    text NOT NULL REFERENCES contact,
    made_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    -- Ended before it expired: the phone was reported lost.
    ended_at   timestamptz,
    ended_why  text,
    CHECK ((ended_at IS NULL) = (ended_why IS NULL))
);
-- A new one is made before the old one expires, so there may be two.
CREATE INDEX link_of_contact ON link (contact, incident);
CREATE INDEX link_of_incident ON link (incident);

-- What was sent by a link: a form has a key of its own, and counts once however often it is sent. `once`: a hash of that key
-- and of what was typed.
CREATE TABLE link_post (
    link    bigint NOT NULL REFERENCES link,
    once    text NOT NULL CHECK (length(once) BETWEEN 8 AND 64),
    at      timestamptz NOT NULL DEFAULT now(),
    -- What the form did, for the answer to whoever sends it again.
    answer  jsonb NOT NULL,
    PRIMARY KEY (link, once)
);
