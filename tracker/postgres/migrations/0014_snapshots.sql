-- Snapshots: what publishers sent, byte for byte, once for each content (docs/redaction.md). Events name
-- them by SHA-256; the bytes stand beside the log, so that a law can force them out.
--
--   tracker_watcher  looks through sources: reads the log, appends to it, keeps snapshots
RESET ROLE;
DO $$
BEGIN
    IF to_regrole('tracker_watcher') IS NULL THEN
        BEGIN
            CREATE ROLE tracker_watcher NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'tracker_watcher', 'SET') THEN
        GRANT tracker_watcher TO CURRENT_USER;
    END IF;
END $$;
CREATE SCHEMA watch AUTHORIZATION tracker_owner;
SET LOCAL ROLE tracker_owner;

CREATE TABLE watch.snapshots (
    sha256       bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    size         bigint CHECK (size >= 0),         -- bytes
    media_type   text,                             -- as the publisher declared it when it was first fetched
    stored_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    content      bytea,                            -- null: in a directory, or gone
    in_directory boolean NOT NULL DEFAULT false,   -- a file of a directory (TRACKER_SNAPSHOTS) has the bytes, or had
    redaction    bigint,                           -- the position of the event because of which they are gone
    CHECK ((content IS NULL) = (in_directory OR redaction IS NOT NULL)),
    CHECK (size IS NOT NULL OR redaction IS NOT NULL),
    CHECK (octet_length(content) = size AND sha256(content) = sha256)
);
-- Not compressed, so that parts are read without the rest of what may be 64 MB.
ALTER TABLE watch.snapshots ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX snapshots_stored ON watch.snapshots (stored_at, sha256);
CREATE INDEX snapshots_redacted ON watch.snapshots (redaction) WHERE redaction IS NOT NULL;

-- Two changes are let through: the bytes go, since an event in the log says so; and bytes that were in a
-- directory come into the table, which holds them to their hash.
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

-- A redaction is one act with its event, whatever inserts the event. Bytes that are not here (as in a log
-- that was restored without them) are kept from coming: the row says why.
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
GRANT USAGE ON SCHEMA watch TO tracker_watcher, tracker_api;
GRANT SELECT ON watch.snapshots TO tracker_watcher, tracker_api;
GRANT INSERT (sha256, size, media_type, content, in_directory), UPDATE (content, in_directory)
    ON watch.snapshots TO tracker_watcher;

GRANT USAGE ON SCHEMA log TO tracker_watcher;
GRANT SELECT ON log.events, log.annexes TO tracker_watcher;
GRANT EXECUTE ON FUNCTION log.append, log.confirm TO tracker_watcher;
