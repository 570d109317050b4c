-- Scenarios: hypothetical commands on the record (docs/scenarios.md). They stand beside the log, in no export of
-- it, and are deleted for good.
CREATE TABLE review.scenarios (
    key        text COLLATE "C" PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 100),
    title      text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    owner      text NOT NULL,
    private    boolean NOT NULL,
    base       bigint CHECK (base >= 0),  -- a position; null: it follows the log
    commands   text NOT NULL CHECK (octet_length(commands) <= 1048576),  -- JSON, as mutations take them
    revision   integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX scenarios_owner ON review.scenarios (owner);
GRANT SELECT, INSERT, UPDATE, DELETE ON review.scenarios TO tracker_api;

ALTER TABLE log.tokens DROP CONSTRAINT tokens_scopes_check, ADD CONSTRAINT tokens_scopes_check CHECK (
    cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'record', 'endpoint', 'review', 'scenario', 'admin']);
