-- Who is told of an incident: contacts and their channels, who is on duty, and which incidents go to which roles.

-- A person or a room (a group's bot) that gets messages. A person is an account, perhaps one without a password.
CREATE TABLE contact (
    id         text PRIMARY KEY CHECK (id ~ '^[0-9A-Za-z_.-]{1,64}$'),
    name       text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    -- What the contact does where no duty names another; the word of routes and duties.
    role       text NOT NULL CHECK (role ~ '^[0-9a-z_-]{1,32}$'),
    -- NULL: of the whole platform.
    area       text REFERENCES area,
    language   text NOT NULL DEFAULT 'zh-CN' CHECK (language IN ('zh-CN', 'en')),
    room       boolean NOT NULL DEFAULT false,
    -- Times, as opening rules, in which only critical incidents are sent at once; NULL: none.
    quiet      text CHECK (length(quiet) <= 2000),
    account    text REFERENCES account,
    -- No longer told of anything. Contacts are never deleted: pages name them.
    retired_at timestamptz,
    edited_at  timestamptz NOT NULL DEFAULT now(),
    edited_by  text NOT NULL
);
CREATE INDEX contact_area ON contact (area, role) WHERE retired_at IS NULL;
CREATE INDEX contact_account ON contact (account) WHERE account IS NOT NULL;

-- The ways to a contact, in the order in which they are tried. The address is secret (a phone number, the token of a bot):
-- it is written and never shown; the fingerprint stands for it.
CREATE TABLE contact_channel (
    contact     text NOT NULL REFERENCES contact,
    place       smallint NOT NULL CHECK (place BETWEEN 1 AND 8),
    kind        text NOT NULL CHECK (kind IN ('wecom', 'dingtalk', 'feishu', 'sms', 'mail', 'webhook', 'apprise')),
    address     text NOT NULL CHECK (length(address) <= 2000),
    fingerprint text NOT NULL,
    PRIMARY KEY (contact, place),
    UNIQUE (contact, fingerprint)
);

-- Who is on duty for a role in an area, when. Duties and routes are removed, not retired: the plan of an incident is frozen.
CREATE TABLE duty (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area         text REFERENCES area,
    role         text NOT NULL CHECK (role ~ '^[0-9a-z_-]{1,32}$'),
    contact      text NOT NULL REFERENCES contact,
    -- In the language of opening rules, such as `Mo-Fr 08:00-18:00; HD off` or `24x7`.
    times        text NOT NULL CHECK (length(times) <= 2000),
    -- A rotation: on duty in week `week` (from 1) of each `weeks`, counted from the week of `valid_from`.
    weeks        smallint NOT NULL DEFAULT 1 CHECK (weeks BETWEEN 1 AND 53),
    week         smallint NOT NULL DEFAULT 1 CHECK (week BETWEEN 1 AND weeks),
    valid_from   date CHECK (valid_from BETWEEN '1900-01-01' AND '2199-12-31'),
    valid_to     date CHECK (valid_to BETWEEN '1900-01-01' AND '2199-12-31' AND valid_to >= valid_from),
    edited_at    timestamptz NOT NULL DEFAULT now(),
    edited_by    text NOT NULL,
    CHECK (weeks = 1 OR valid_from IS NOT NULL),
    UNIQUE NULLS NOT DISTINCT (area, role, contact, times, weeks, week, valid_from)
);
CREATE INDEX duty_contact ON duty (contact);

-- Who stands in for a contact in all its duties during an interval.
CREATE TABLE duty_substitute (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact    text NOT NULL REFERENCES contact,
    substitute text NOT NULL REFERENCES contact CHECK (substitute <> contact),
    from_at    timestamptz NOT NULL CHECK (from_at >= '1900-01-01Z'),
    until_at   timestamptz NOT NULL CHECK (until_at > from_at AND until_at <= '2200-01-01Z'),
    reason     text CHECK (length(reason) <= 500),
    edited_at  timestamptz NOT NULL DEFAULT now(),
    edited_by  text NOT NULL,
    UNIQUE (contact, from_at)
);

-- Which incidents go to which roles. The route with the longest area wins; without area it is the default route.
CREATE TABLE route (
    id           text PRIMARY KEY CHECK (id ~ '^[0-9A-Za-z_.-]{1,64}$'),
    name         text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    area         text REFERENCES area,
    -- Empty: every kind, every severity.
    kinds        text[] NOT NULL DEFAULT '{}',
    severities   text[] NOT NULL DEFAULT '{}',
    programme    text,
    station_kind text,
    -- The steps of escalation, in their order: registry/routes/model.py.
    steps        jsonb NOT NULL CHECK (jsonb_typeof(steps) = 'array' AND jsonb_array_length(steps) BETWEEN 1 AND 16),
    -- Whether an incident that was over before it could be sent is sent once, as past.
    tell_past    boolean NOT NULL DEFAULT true,
    edited_at    timestamptz NOT NULL DEFAULT now(),
    edited_by    text NOT NULL
);
CREATE INDEX route_area ON route (area);
