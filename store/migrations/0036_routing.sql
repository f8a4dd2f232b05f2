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
    -- Since when the account is disabled: as if retired until it is enabled again. A trigger below writes it.
    muted_at   timestamptz,
    edited_at  timestamptz NOT NULL DEFAULT now(),
    edited_by  text NOT NULL,
    CHECK (NOT room OR account IS NULL)
);
CREATE INDEX contact_area ON contact (area, role) WHERE retired_at IS NULL;
CREATE INDEX contact_account ON contact (account) WHERE account IS NOT NULL;

-- The ways to a contact, in the order in which they are tried. The address is secret (a phone number, the token of a bot):
-- it is written and never shown; the fingerprint stands for it.
CREATE TABLE contact_channel (
    contact     text NOT NULL REFERENCES contact,
    place       smallint NOT NULL CHECK (place BETWEEN 1 AND 8),
    kind        text NOT NULL CHECK (kind IN ('wecom', 'dingtalk', 'feishu', 'sms', 'mail', 'webhook', 'apprise')),
    address     text NOT NULL CHECK (address <> '' AND length(address) <= 2000),
    -- Of the receiver, and after `-` of what does not change the receiver. A trigger below writes it.
    fingerprint text NOT NULL,
    PRIMARY KEY (contact, place),
    UNIQUE (contact, fingerprint)
);

-- The key of fingerprints, made once, which only the owner of the tables reads: without it a phone number cannot be found by
-- trying all numbers. Both halves are a random key of 64 bytes, combined with the constants of HMAC.
CREATE TABLE channel_key (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    inner_key bytea NOT NULL CHECK (octet_length(inner_key) = 64),
    outer_key bytea NOT NULL CHECK (octet_length(outer_key) = 64)
);
DO $$
DECLARE
    secret bytea := '';
    inside bytea := decode(repeat('00', 64), 'hex');
    outside bytea := inside;
BEGIN
    -- 122 random bits each; the hash spreads them over all bytes.
    FOR n IN 1 .. 2 LOOP
        secret := secret || sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
    END LOOP;
    FOR n IN 0 .. 63 LOOP
        inside := set_byte(inside, n, get_byte(secret, n) # 54);
        outside := set_byte(outside, n, get_byte(secret, n) # 92);
    END LOOP;
    INSERT INTO channel_key (inner_key, outer_key) VALUES (inside, outside);
END $$;

-- What stands for a text: HMAC-SHA256 with the key, 100 times over, as hex. Whoever may ask for fingerprints could try all phone
-- numbers, and the repetition makes that slow.
CREATE FUNCTION keyed_hash(secret text) RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
DECLARE
    made bytea := convert_to(secret, 'UTF8');
    inside bytea;
    outside bytea;
BEGIN
    SELECT inner_key, outer_key INTO STRICT inside, outside FROM channel_key;
    FOR n IN 1 .. 100 LOOP
        made := sha256(outside || sha256(inside || made));
    END LOOP;
    RETURN encode(made, 'hex');
END $$;

-- The same bot with another signing secret or other people to mention is the same receiver: limits of its provider count by
-- the first part.
CREATE FUNCTION channel_fingerprint(kind text, address text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT left(keyed_hash(kind || ' ' || receiver), 16)
           || CASE WHEN receiver = address THEN '' ELSE '-' || left(keyed_hash(kind || ' ' || address), 8) END
    FROM (SELECT split_part(address, CASE kind WHEN 'webhook' THEN '#' WHEN 'apprise' THEN NULL ELSE '?' END, 1)) AS part (own)
    CROSS JOIN LATERAL (SELECT coalesce(own, address)) AS known (receiver)
$$;

-- Nobody writes another fingerprint than that of the address.
CREATE FUNCTION channel_written() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    NEW.fingerprint := channel_fingerprint(NEW.kind, NEW.address);
    RETURN NEW;
END $$;
CREATE TRIGGER channel_written BEFORE INSERT OR UPDATE ON contact_channel FOR EACH ROW EXECUTE FUNCTION channel_written();

-- Whoever may not act any more is not told either; enabling the account ends that.
CREATE FUNCTION account_muted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    UPDATE contact SET muted_at = NEW.disabled_at WHERE account = NEW.id AND muted_at IS DISTINCT FROM NEW.disabled_at;
    RETURN NULL;
END $$;
CREATE TRIGGER account_muted AFTER UPDATE OF disabled_at ON account
    FOR EACH ROW WHEN (OLD.disabled_at IS DISTINCT FROM NEW.disabled_at) EXECUTE FUNCTION account_muted();

CREATE FUNCTION contact_muted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    NEW.muted_at := (SELECT disabled_at FROM account WHERE id = NEW.account);
    RETURN NEW;
END $$;
CREATE TRIGGER contact_muted BEFORE INSERT OR UPDATE OF account, muted_at ON contact
    FOR EACH ROW EXECUTE FUNCTION contact_muted();

-- The account of a person who has none yet: without a password, a technician in the area of the contact and nowhere else. The
-- login is the id of the contact, or begins with it. No row for a room, an unknown contact, or one that has an account.
CREATE FUNCTION give_contact_account(wanted text, by_account text) RETURNS TABLE (id text, login text, name text, area text)
LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
DECLARE
    person contact;
BEGIN
    SELECT * INTO person FROM contact c WHERE c.id = wanted AND NOT c.room AND c.account IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    id := 'a-' || left(replace(gen_random_uuid()::text, '-', ''), 12);
    login := person.id;
    name := left(person.name, 64);
    area := person.area;
    LOOP
        -- A login that looks like the id of an account would be taken for one.
        IF login !~* '^a-[0-9a-f]{12}$' THEN
            INSERT INTO account (id, login, name, role, whole, created_by)
            VALUES (give_contact_account.id, give_contact_account.login, give_contact_account.name, 'technician',
                    person.area IS NULL, by_account)
            ON CONFLICT (lower(login)) DO NOTHING;
            EXIT WHEN FOUND;
        END IF;
        login := left(person.id, 59) || '-' || left(gen_random_uuid()::text, 4);
    END LOOP;
    INSERT INTO account_area (account, area) SELECT give_contact_account.id, person.area WHERE person.area IS NOT NULL;
    UPDATE contact c SET account = give_contact_account.id WHERE c.id = person.id;
    RETURN NEXT;
END $$;

-- Whether an area (NULL: the whole) lies outside what an account sees; no edit of a contact widens that.
CREATE FUNCTION is_beyond_account(wanted_account text, wanted_area text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT NOT a.whole AND NOT EXISTS (SELECT FROM account_area x JOIN area r ON x.area = ANY (r.path)
                                       WHERE x.account = a.id AND r.code = wanted_area)
    FROM account a WHERE a.id = wanted_account
$$;

-- No table of the caller's own may stand in for one of these.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['is_beyond_account(text, text)', 'keyed_hash(text)', 'channel_fingerprint(text, text)', 'channel_written()', 'account_muted()',
                            'contact_muted()', 'give_contact_account(text, text)'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', name);
    END LOOP;
END $$;

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
