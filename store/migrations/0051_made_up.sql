-- A history that was made up for a demonstration (`milepost up --history`); at most one in a database, which has no other. What
-- people look at says so.
CREATE TABLE made_up_history (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    seed     bigint NOT NULL,
    stations integer NOT NULL,
    from_at  timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT now()
);
