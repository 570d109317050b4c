-- One row an event. `entry` is the event: what is stored is what is delivered, hashed and exported.
-- The other columns repeat parts of it, so that they can be indexed.
CREATE TABLE IF NOT EXISTS log.events (
    position    bigint PRIMARY KEY CHECK (position > 0),
    event_id    text COLLATE "C" NOT NULL UNIQUE,
    stream      text COLLATE "C" NOT NULL,
    version     integer NOT NULL CHECK (version > 0),
    type        text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    entry       bytea NOT NULL CHECK (octet_length(entry) <= 65535),
    UNIQUE (stream, version)
);
CREATE INDEX IF NOT EXISTS events_recorded_at ON log.events (recorded_at, position);
CREATE INDEX IF NOT EXISTS events_type ON log.events (type, position);

-- The same for people at a psql prompt.
CREATE OR REPLACE VIEW log.readable AS
SELECT position, recorded_at, stream, version, type, event_id, convert_from(entry, 'UTF8')::jsonb AS entry
FROM log.events;

GRANT SELECT ON log.events, log.readable TO tracker_api, tracker_projector;

-- Nothing recorded is ever changed: not by the owner, not by a replica, not by mistake.
CREATE OR REPLACE FUNCTION log.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on log.events is refused: recorded events never change', TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Record a retraction instead.';
END $$;

CREATE OR REPLACE TRIGGER events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON log.events
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();
ALTER TABLE log.events ENABLE ALWAYS TRIGGER events_never_change;
