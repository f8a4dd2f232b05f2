-- Who exists: the division tree, stations and their terminals.

CREATE TABLE area (
    code       text PRIMARY KEY CHECK (code ~ '^[0-9A-Za-z]{1,32}$'),
    name       text NOT NULL,
    name_en    text,
    name_bo    text,
    parent     text REFERENCES area DEFERRABLE INITIALLY DEFERRED,
    level      text NOT NULL,
    -- Root first, itself last: "everything below 63" is one indexed look-up in any tree.
    path       text[] NOT NULL,
    valid_from date,
    valid_to   date,
    successor  text,
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX area_path ON area USING gin (path);
CREATE INDEX area_parent ON area (parent);

CREATE TABLE station (
    id              text PRIMARY KEY CHECK (id ~ '^[0-9A-Za-z_-]{1,32}$'),
    name            text NOT NULL,
    name_en         text,
    name_bo         text,
    kind            text,
    area            text REFERENCES area,
    lat             double precision CHECK (lat BETWEEN -90 AND 90),
    lon             double precision CHECK (lon BETWEEN -180 AND 180),
    lifecycle       text NOT NULL DEFAULT 'commissioned'
                    CHECK (lifecycle IN ('planned', 'commissioned', 'suspended', 'retired')),
    commissioned_at timestamptz,
    address         text,
    isp             text,
    feeder          text,
    languages       text[] NOT NULL DEFAULT '{}',
    schedule        text NOT NULL DEFAULT '24x7',
    quorum          smallint NOT NULL DEFAULT 1 CHECK (quorum >= 1),
    auto_registered boolean NOT NULL DEFAULT false,
    changed_at      timestamptz NOT NULL DEFAULT now(),
    -- A poller that remembers pg_snapshot_xmin() and asks for changed_xid >= it misses no late commit.
    changed_xid     xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX station_area ON station (area);
CREATE INDEX station_changed ON station (changed_xid);

CREATE TABLE terminal (
    station      text NOT NULL REFERENCES station ON DELETE CASCADE,
    id           text NOT NULL CHECK (id ~ '^[0-9A-Za-z]{1,8}$'),
    type         text CHECK (type IN ('pc', 'kiosk', 'mobile', 'wifi_ap', 'settop')),
    counts       boolean NOT NULL DEFAULT true,
    installed_at timestamptz,
    refresh_due  date,
    PRIMARY KEY (station, id)
);

CREATE INDEX terminal_not_counting ON terminal (station) WHERE NOT counts;

CREATE TABLE programme (
    id   text PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE station_programme (
    station   text NOT NULL REFERENCES station ON DELETE CASCADE,
    programme text NOT NULL REFERENCES programme ON DELETE CASCADE,
    PRIMARY KEY (station, programme)
);
CREATE INDEX station_programme_programme ON station_programme (programme);

-- Heard, but not registered: listed for a person, not judged.
CREATE TABLE unregistered (
    station       text PRIMARY KEY,
    terminals     text[] NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    messages      bigint NOT NULL
);

CREATE FUNCTION station_touched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_at := now();
    NEW.changed_xid := pg_current_xact_id();
    RETURN NEW;
END $$;
CREATE TRIGGER station_touched BEFORE UPDATE ON station
    FOR EACH ROW EXECUTE FUNCTION station_touched();

-- A change of a terminal is a change of its station.
CREATE FUNCTION terminal_touches_station() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE station SET changed_at = now() WHERE id = coalesce(NEW.station, OLD.station);
    RETURN NULL;
END $$;
CREATE TRIGGER terminal_touches_station AFTER INSERT OR UPDATE OR DELETE ON terminal
    FOR EACH ROW EXECUTE FUNCTION terminal_touches_station();
