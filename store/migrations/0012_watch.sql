-- Signs of life of the services that decide and tell, for whoever watches them from outside.
CREATE TABLE service_sign (
    service  text NOT NULL,
    instance text NOT NULL,
    at       timestamptz NOT NULL,
    -- leading, standby or working
    role     text NOT NULL,
    detail   jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (service, instance)
);
