-- Endpoints: addresses that receive events. Each is a named cursor on the log. Their rows stand beside
-- the log, not in it, since they follow from no event (docs/integrations.md). The API manages endpoints
-- and cannot read their secrets.
CREATE TABLE delivery.endpoints (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name              text COLLATE "C" NOT NULL UNIQUE CHECK (name <> ''),
    url               text NOT NULL,              -- may hold a secret in its query
    owner             text,                       -- the caller who may manage it; null: administrators only
    -- The selected events; null is all.
    types             text[],
    commodities       text[],
    places            text[],
    entity            text,
    max_batch_events  integer NOT NULL DEFAULT 1 CHECK (max_batch_events > 0),
    with_proof        boolean NOT NULL DEFAULT false,
    state             text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'disabled')),
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_after     bigint NOT NULL CHECK (started_after >= 0),
    -- The cursor: every selected event up to this position was accepted or parked.
    position          bigint NOT NULL CHECK (position >= started_after),
    -- The last selected event up to the cursor; started_after if there is none.
    previous_position bigint NOT NULL,
    last_accepted_at  timestamptz,
    -- The current failure, from the first one until a delivery is accepted.
    failures          integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failing_since     timestamptz,
    next_attempt_at   timestamptz,                -- null: at once
    last_error        text,
    last_status       integer,
    -- The answer of the receiver to the handshake; null: not sent yet.
    handshake_at      timestamptz,
    requests_a_minute integer CHECK (requests_a_minute > 0),
    CHECK (previous_position <= position),
    CHECK ((failures = 0) = (failing_since IS NULL))
);
CREATE INDEX endpoints_owner ON delivery.endpoints (owner);

-- Signing keys of deliveries. A rotated key signs beside the new one until it retires.
CREATE TABLE delivery.keys (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint   bigint NOT NULL REFERENCES delivery.endpoints ON DELETE CASCADE,
    algorithm  text NOT NULL CHECK (algorithm IN ('ed25519', 'hmac-sha256')),
    secret     bytea NOT NULL CHECK (octet_length(secret) = 32),
    public_key text CHECK ((public_key IS NULL) = (algorithm = 'hmac-sha256')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    retires_at timestamptz
);
CREATE INDEX keys_endpoint ON delivery.keys (endpoint);

-- Replays: positions that are sent again, before new events. The cursor does not move.
CREATE TABLE delivery.replays (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint          bigint NOT NULL UNIQUE REFERENCES delivery.endpoints ON DELETE CASCADE,
    first_position    bigint NOT NULL CHECK (first_position > 0),
    last_position     bigint NOT NULL CHECK (last_position >= first_position),
    position          bigint NOT NULL,   -- the cursor of the replay
    previous_position bigint NOT NULL,
    events            bigint NOT NULL,   -- number of selected events
    requested_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Events that a person set aside, so that later events are delivered.
CREATE TABLE delivery.parked (
    endpoint          bigint NOT NULL REFERENCES delivery.endpoints ON DELETE CASCADE,
    position          bigint NOT NULL CHECK (position > 0),
    previous_position bigint,            -- as it will be sent; null until the cursor has passed it
    parked_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    parked_by         text NOT NULL,
    reason            text NOT NULL,
    retry_at          timestamptz,       -- time of a requested retry; null: none
    last_error        text,
    PRIMARY KEY (endpoint, position)
);

-- Recent requests; the deliverer deletes old ones.
CREATE TABLE delivery.attempts (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint         bigint NOT NULL REFERENCES delivery.endpoints ON DELETE CASCADE,
    attempted_at     timestamptz NOT NULL,
    message_id       text NOT NULL,
    first_position   bigint NOT NULL,
    last_position    bigint NOT NULL,
    events           integer NOT NULL,
    attempt          integer NOT NULL CHECK (attempt > 0),
    duration_seconds double precision NOT NULL,
    status           integer,
    error            text,               -- null: accepted
    response         text                -- the beginning of the response
);
CREATE INDEX attempts_endpoint ON delivery.attempts (endpoint, id);

-- Changes of endpoints by people, or by a rule of the tracker, with the reason. They outlive the
-- endpoints.
CREATE TABLE delivery.changes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint   bigint NOT NULL,
    name       text COLLATE "C" NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor      text NOT NULL,
    action     text NOT NULL,
    reason     text,
    detail     text
);
CREATE INDEX changes_endpoint ON delivery.changes (endpoint, id);

CREATE FUNCTION delivery.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on delivery.changes is refused: what was done stays on record', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
REVOKE EXECUTE ON FUNCTION delivery.refuse_change FROM PUBLIC;
CREATE TRIGGER changes_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON delivery.changes
    FOR EACH STATEMENT EXECUTE FUNCTION delivery.refuse_change();
ALTER TABLE delivery.changes ENABLE ALWAYS TRIGGER changes_never_change;

-- Leases: one process alone does a task, such as the deliveries. Each holder has a higher epoch than
-- the previous one. A holder of an older epoch can no longer write.
CREATE TABLE delivery.leases (
    name       text COLLATE "C" PRIMARY KEY,
    epoch      bigint NOT NULL,
    holder     text NOT NULL,
    expires_at timestamptz NOT NULL
);

-- Cursors of relays to brokers.
CREATE TABLE delivery.relays (
    name              text COLLATE "C" PRIMARY KEY,
    sink              text NOT NULL,     -- the destination, without secrets
    types             text[],
    commodities       text[],
    places            text[],
    entity            text,
    started_after     bigint NOT NULL,
    position          bigint NOT NULL,
    previous_position bigint NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The number that the sink gave to the last event, such as the sequence of a stream. A sink whose numbers
    -- end before it has lost events. A sink that drops old events by its own limits continues to count.
    sequence          bigint NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    refills           bigint NOT NULL DEFAULT 0  -- number of times that it lost acknowledged events
);

GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.endpoints, delivery.replays, delivery.parked TO tracker_api;
GRANT SELECT (id, endpoint, algorithm, public_key, created_at, retires_at), INSERT, UPDATE (retires_at), DELETE
    ON delivery.keys TO tracker_api;
GRANT SELECT ON delivery.attempts, delivery.leases, delivery.relays TO tracker_api;
GRANT SELECT, INSERT ON delivery.changes TO tracker_api;

GRANT SELECT ON ALL TABLES IN SCHEMA delivery TO tracker_deliverer;
GRANT UPDATE (state, position, previous_position, last_accepted_at, failures, failing_since, next_attempt_at,
              last_error, last_status, handshake_at, requests_a_minute)
    ON delivery.endpoints TO tracker_deliverer;
GRANT UPDATE (position, previous_position), DELETE ON delivery.replays TO tracker_deliverer;
GRANT UPDATE (previous_position, retry_at, last_error), DELETE ON delivery.parked TO tracker_deliverer;
GRANT INSERT, DELETE ON delivery.attempts TO tracker_deliverer;
GRANT INSERT ON delivery.changes TO tracker_deliverer;
GRANT INSERT, UPDATE ON delivery.leases, delivery.relays TO tracker_deliverer;
GRANT SELECT, INSERT, UPDATE ON delivery.leases TO tracker_watcher;  -- one process at a time watches
GRANT SELECT ON log.tiles, log.checkpoints TO tracker_deliverer;  -- for deliveries with a proof
