-- E-mail alerts: subscriptions, and messages that wait for the mail server. They are personal data, so they
-- stand beside the log, in no export of it, and are deleted for good. The API adds addresses and cannot read
-- them: it looks subscriptions up by a keyed hash.
CREATE TABLE alerts.subscriptions (
    id               uuid PRIMARY KEY,
    address          text NOT NULL,
    address_key      bytea NOT NULL,   -- HMAC-SHA256 of the address
    target           text NOT NULL,    -- path and query of a page
    frequency        text NOT NULL CHECK (frequency IN ('immediate', 'daily', 'weekly')),
    time_zone        text NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    confirmation     bytea,            -- SHA-256 of the token in the confirmation mail; null once confirmed
    confirmed_at     timestamptz,
    -- The moment of the last digest, or of the confirmation: the next digest compares with it.
    position         bigint,
    day              date,
    due_at           timestamptz,      -- time of the next comparison
    -- The moment of the last comparison, whether or not a digest followed.
    checked_position bigint,
    checked_day      date,
    failures         integer NOT NULL DEFAULT 0,  -- consecutive permanent refusals of the mail server
    stopped_at       timestamptz       -- the mail server refused the address for good
);
CREATE INDEX subscriptions_address ON alerts.subscriptions (address_key);
CREATE INDEX subscriptions_due ON alerts.subscriptions (due_at) WHERE confirmed_at IS NOT NULL;

-- Rendered messages without their `To` header, which is added when they are sent. A retry sends the same
-- bytes with the same Message-ID.
CREATE TABLE alerts.outbox (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription    uuid NOT NULL REFERENCES alerts.subscriptions ON DELETE CASCADE,
    kind            text NOT NULL CHECK (kind IN ('confirmation', 'links', 'digest')),
    message_id      text NOT NULL UNIQUE,
    message         bytea,             -- null once it was sent or given up
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at         timestamptz,
    failed_at       timestamptz,       -- given up
    last_error      text               -- a code, never a text of the mail server, which may name the address
);
CREATE INDEX outbox_subscription ON alerts.outbox (subscription);
CREATE INDEX outbox_waiting ON alerts.outbox (next_attempt_at) WHERE message IS NOT NULL;

-- Requests of the last day, for limits: keyed hashes of the client's network and of the address.
CREATE TABLE alerts.requests (
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    network_key  bytea NOT NULL,
    address_key  bytea NOT NULL
);
CREATE INDEX requests_time ON alerts.requests (requested_at);

GRANT INSERT, DELETE,
    SELECT (id, address_key, target, frequency, time_zone, created_at, confirmation, confirmed_at, stopped_at),
    UPDATE (confirmation, confirmed_at, position, day, due_at)
    ON alerts.subscriptions TO tracker_api;
GRANT INSERT (subscription, kind, message_id, message),
    SELECT (id, kind, created_at, attempts, next_attempt_at, sent_at, failed_at) ON alerts.outbox TO tracker_api;
GRANT SELECT, INSERT, DELETE ON alerts.requests TO tracker_api;

GRANT SELECT, DELETE,
    UPDATE (position, day, due_at, checked_position, checked_day, failures, stopped_at)
    ON alerts.subscriptions TO tracker_mailer;
GRANT SELECT, INSERT, DELETE, UPDATE (message, attempts, next_attempt_at, sent_at, failed_at, last_error)
    ON alerts.outbox TO tracker_mailer;
GRANT SELECT, INSERT, UPDATE ON delivery.leases TO tracker_mailer;  -- one process at a time sends
