-- Endpoints: addresses that events are sent to. Each is a named cursor on the log; what is kept of it
-- stands beside the log, not in it, since it follows from no event (docs/integrations.md).
--
--   tracker_deliverer  sends: reads the log and the keys of endpoints, and writes how far each has come
--
-- The API manages endpoints, and can read no secret of theirs.
RESET ROLE;
DO $$
BEGIN
    IF to_regrole('tracker_deliverer') IS NULL THEN
        BEGIN
            CREATE ROLE tracker_deliverer NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'tracker_deliverer', 'SET') THEN
        GRANT tracker_deliverer TO CURRENT_USER;
    END IF;
END $$;
CREATE SCHEMA delivery AUTHORIZATION tracker_owner;
SET LOCAL ROLE tracker_owner;

CREATE TABLE delivery.endpoints (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name              text COLLATE "C" NOT NULL UNIQUE CHECK (name <> ''),
    url               text NOT NULL,              -- may hold a secret in its query
    owner             text,                       -- the caller who may manage it; null: administrators only
    -- Which events: as they were asked for; null is all.
    types             text[],
    commodities       text[],
    places            text[],
    entity            text,
    max_batch_events  integer NOT NULL DEFAULT 1 CHECK (max_batch_events > 0),
    with_proof        boolean NOT NULL DEFAULT false,
    state             text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'disabled')),
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_after     bigint NOT NULL CHECK (started_after >= 0),
    -- The cursor: of all events up to this position, those that are selected were accepted or parked.
    position          bigint NOT NULL CHECK (position >= started_after),
    -- The last selected event up to there; before there is one, the position after which it began.
    previous_position bigint NOT NULL,
    last_accepted_at  timestamptz,
    -- What is wrong, from the first failure until something is accepted.
    failures          integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failing_since     timestamptz,
    next_attempt_at   timestamptz,                -- null: at once
    last_error        text,
    last_status       integer,
    -- What the receiver said when it was asked whether it wants deliveries; null: not asked yet.
    handshake_at      timestamptz,
    requests_a_minute integer CHECK (requests_a_minute > 0),
    CHECK (previous_position <= position),
    CHECK ((failures = 0) = (failing_since IS NULL))
);
CREATE INDEX endpoints_owner ON delivery.endpoints (owner);

-- What deliveries are signed with. A key that was rotated signs beside the new one until it retires.
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

-- Positions that are sent once more, before new events; the cursor stays where it is.
CREATE TABLE delivery.replays (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint          bigint NOT NULL UNIQUE REFERENCES delivery.endpoints ON DELETE CASCADE,
    first_position    bigint NOT NULL CHECK (first_position > 0),
    last_position     bigint NOT NULL CHECK (last_position >= first_position),
    position          bigint NOT NULL,   -- as of the cursor
    previous_position bigint NOT NULL,
    events            bigint NOT NULL,   -- how many of them are selected
    requested_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Events that a person set aside, so that those after them go on.
CREATE TABLE delivery.parked (
    endpoint          bigint NOT NULL REFERENCES delivery.endpoints ON DELETE CASCADE,
    position          bigint NOT NULL CHECK (position > 0),
    previous_position bigint,            -- as it will be sent; null until the cursor has passed it
    parked_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    parked_by         text NOT NULL,
    reason            text NOT NULL,
    retry_at          timestamptz,       -- when a person wants it tried again; null: not
    last_error        text,
    PRIMARY KEY (endpoint, position)
);

-- The last requests that were made; the deliverer takes old ones out.
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
    response         text                -- the beginning of what was answered
);
CREATE INDEX attempts_endpoint ON delivery.attempts (endpoint, id);

-- What people, or the tracker by a rule, did with endpoints, and why. Outlives them.
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

-- Who does a piece of work alone for now, such as the deliveries. Each holder has a higher epoch than
-- the one before it: whoever has an older one writes nothing any more.
CREATE TABLE delivery.leases (
    name       text COLLATE "C" PRIMARY KEY,
    epoch      bigint NOT NULL,
    holder     text NOT NULL,
    expires_at timestamptz NOT NULL
);

-- How far a broker has been given the log, by the name of the relay.
CREATE TABLE delivery.relays (
    name              text COLLATE "C" PRIMARY KEY,
    sink              text NOT NULL,     -- where it goes, without secrets
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
    -- end before it has lost events; one that lets its old ones go by its own limits goes on counting.
    sequence          bigint NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    refills           bigint NOT NULL DEFAULT 0  -- how often it had lost what it had acknowledged
);

GRANT USAGE ON SCHEMA delivery, log TO tracker_deliverer, tracker_api;
GRANT SELECT ON log.events, log.tiles, log.checkpoints TO tracker_deliverer;
GRANT EXECUTE ON FUNCTION log.confirm TO tracker_deliverer;  -- nothing leaves that is not durable

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
