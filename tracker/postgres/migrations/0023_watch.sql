-- Watching publishers (docs/watching.md).
--
-- Snapshots: responses of publishers, byte for byte, one row per content (docs/redaction.md). Events
-- name them by SHA-256. The bytes stand beside the log, so that a law can force them out.
CREATE TABLE watch.snapshots (
    sha256       bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    size         bigint CHECK (size >= 0),         -- bytes
    media_type   text,                             -- as the publisher declared it when it was first fetched
    stored_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    content      bytea,                            -- null: in a directory, or gone
    in_directory boolean NOT NULL DEFAULT false,   -- the bytes are or were a file in TRACKER_SNAPSHOTS
    redaction    bigint,                           -- the position of the event because of which they are gone
    CHECK ((content IS NULL) = (in_directory OR redaction IS NOT NULL)),
    CHECK (size IS NOT NULL OR redaction IS NOT NULL),
    CHECK (octet_length(content) = size AND sha256(content) = sha256)
);
-- Not compressed, so that parts of up to 64 MB are read without the rest.
ALTER TABLE watch.snapshots ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX snapshots_stored ON watch.snapshots (stored_at, sha256);
CREATE INDEX snapshots_redacted ON watch.snapshots (redaction) WHERE redaction IS NOT NULL;

-- Two changes are allowed. The bytes go if an event in the log says so. Bytes in a directory may move
-- into the table, which checks their hash.
CREATE FUNCTION watch.refuse_snapshot_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_LEVEL = 'ROW' AND OLD.redaction IS NULL
       AND (NEW.sha256, NEW.size, NEW.media_type, NEW.stored_at)
           IS NOT DISTINCT FROM (OLD.sha256, OLD.size, OLD.media_type, OLD.stored_at)
    THEN
        IF NEW.redaction IS NULL AND OLD.in_directory AND NEW.content IS NOT NULL THEN RETURN NEW; END IF;
        IF NEW.content IS NULL AND NEW.in_directory = OLD.in_directory
           AND EXISTS (SELECT FROM log.events e
                       WHERE e.position = NEW.redaction AND e.type = 'Source.SnapshotRedacted'
                         AND convert_from(e.entry, 'UTF8')::jsonb #>> '{data,sha256}' = encode(OLD.sha256, 'hex'))
        THEN RETURN NEW; END IF;
    END IF;
    RAISE EXCEPTION '% on watch.snapshots is refused: bytes go by a redaction only', TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'See docs/redaction.md.';
END $$;

CREATE TRIGGER snapshots_stay BEFORE DELETE OR TRUNCATE ON watch.snapshots
    FOR EACH STATEMENT EXECUTE FUNCTION watch.refuse_snapshot_change();
CREATE TRIGGER snapshots_never_change BEFORE UPDATE ON watch.snapshots
    FOR EACH ROW EXECUTE FUNCTION watch.refuse_snapshot_change();
ALTER TABLE watch.snapshots ENABLE ALWAYS TRIGGER snapshots_stay;
ALTER TABLE watch.snapshots ENABLE ALWAYS TRIGGER snapshots_never_change;

-- A redaction and its event are one act. If the bytes are missing (the log was restored without them),
-- the row refuses them later and gives the reason.
CREATE FUNCTION watch.redact_snapshot() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO watch.snapshots AS s (sha256, redaction)
    VALUES (decode(convert_from(NEW.entry, 'UTF8')::jsonb #>> '{data,sha256}', 'hex'), NEW.position)
    ON CONFLICT (sha256) DO UPDATE SET content = NULL, redaction = excluded.redaction
        WHERE s.redaction IS NULL;
    RETURN NULL;
END $$;

CREATE TRIGGER snapshot_redacted AFTER INSERT ON log.events
    FOR EACH ROW WHEN (NEW.type = 'Source.SnapshotRedacted') EXECUTE FUNCTION watch.redact_snapshot();
ALTER TABLE log.events ENABLE ALWAYS TRIGGER snapshot_redacted;

REVOKE EXECUTE ON FUNCTION watch.refuse_snapshot_change, watch.redact_snapshot FROM PUBLIC;
-- Cursors of watched sources. The log has every fetch and its time. These rows only let the watcher
-- continue; a source without a row is read from its beginning.
CREATE TABLE watch.sources (
    key             text COLLATE "C" PRIMARY KEY CHECK (key ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    settings        jsonb NOT NULL,                   -- as recorded by Source.Watched
    settings_number integer NOT NULL DEFAULT 0,       -- number of recorded changes
    watched         boolean NOT NULL DEFAULT true,
    every           interval NOT NULL CHECK (every > interval '0'),
    cursor          jsonb NOT NULL DEFAULT '{}',      -- of the adapter, after the last complete poll
    look            integer NOT NULL DEFAULT 0 CHECK (look >= 0),            -- the last poll that ended
    complete_look   integer NOT NULL DEFAULT 0 CHECK (complete_look >= 0),   -- the last complete poll
    watched_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    looked_at       timestamptz,                      -- end of the last complete poll
    ended_at        timestamptz,                      -- end of the last poll
    next_look_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The current failure, from the first incomplete poll until a complete one.
    failures        integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failing_since   timestamptz,
    last_code       text,
    last_error      text,
    CHECK ((failures = 0) = (failing_since IS NULL))
);

-- Addresses of sources with their last response, for conditional requests.
CREATE TABLE watch.addresses (
    source        text COLLATE "C" NOT NULL REFERENCES watch.sources ON DELETE CASCADE,
    address       text COLLATE "C" NOT NULL,          -- with the hash of the form, if one is sent
    url           text NOT NULL,                      -- after redirects
    etag          text,
    last_modified text,
    sha256        bytea NOT NULL CHECK (octet_length(sha256) = 32),
    media_type    text,
    charset       text,
    look          integer NOT NULL,                   -- the poll that first had this content
    fetched_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (source, address)
);

REVOKE EXECUTE ON FUNCTION watch.refuse_snapshot_change, watch.redact_snapshot FROM PUBLIC;
GRANT SELECT ON watch.snapshots TO tracker_watcher, tracker_api;
GRANT INSERT (sha256, size, media_type, content, in_directory), UPDATE (content, in_directory)
    ON watch.snapshots TO tracker_watcher;
GRANT SELECT, INSERT, UPDATE ON watch.sources TO tracker_watcher;
GRANT SELECT, INSERT, UPDATE, DELETE ON watch.addresses TO tracker_watcher;
GRANT SELECT ON watch.sources TO tracker_api;
