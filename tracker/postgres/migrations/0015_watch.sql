-- How far each watched source was looked through. What was fetched, and when, is in the log; this is what
-- the watcher goes on from, and can be made anew: a source without a row is looked through from its beginning.
RESET ROLE;
SET LOCAL ROLE tracker_owner;

CREATE TABLE watch.sources (
    key             text COLLATE "C" PRIMARY KEY CHECK (key ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    settings        jsonb NOT NULL,                   -- as they were when Source.Watched was recorded
    settings_number integer NOT NULL DEFAULT 0,       -- counts the recorded changes of them
    watched         boolean NOT NULL DEFAULT true,
    every           interval NOT NULL CHECK (every > interval '0'),
    cursor          jsonb NOT NULL DEFAULT '{}',      -- as the adapter left it at the last complete look
    look            integer NOT NULL DEFAULT 0 CHECK (look >= 0),            -- the last look that ended
    complete_look   integer NOT NULL DEFAULT 0 CHECK (complete_look >= 0),   -- the last one that was complete
    watched_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    looked_at       timestamptz,                      -- the end of the last complete look
    ended_at        timestamptz,                      -- the end of the last look
    next_look_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- What is wrong, from the first look that was not complete until one is.
    failures        integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failing_since   timestamptz,
    last_code       text,
    last_error      text,
    CHECK ((failures = 0) = (failing_since IS NULL))
);

-- What is known of the addresses of sources, so that they are asked only for what is new.
CREATE TABLE watch.addresses (
    source        text COLLATE "C" NOT NULL REFERENCES watch.sources ON DELETE CASCADE,
    address       text COLLATE "C" NOT NULL,          -- with the hash of the form that is sent, if one is
    url           text NOT NULL,                      -- where it came from in the end
    etag          text,
    last_modified text,
    sha256        bytea NOT NULL CHECK (octet_length(sha256) = 32),
    media_type    text,
    charset       text,
    look          integer NOT NULL,                   -- in which it was first seen as it is
    fetched_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (source, address)
);

GRANT SELECT, INSERT, UPDATE ON watch.sources TO tracker_watcher;
GRANT SELECT, INSERT, UPDATE, DELETE ON watch.addresses TO tracker_watcher;
GRANT SELECT ON watch.sources TO tracker_api;
-- One process watches at a time.
GRANT USAGE ON SCHEMA delivery TO tracker_watcher;
GRANT SELECT, INSERT, UPDATE ON delivery.leases TO tracker_watcher;
