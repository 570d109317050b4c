-- name: stage
-- Staging tables for verified data, before any of it is in the log.
CREATE TEMPORARY TABLE staged_events (
    position    bigint NOT NULL,
    event_id    text NOT NULL,
    stream      text NOT NULL,
    version     integer NOT NULL,
    type        text NOT NULL,
    recorded_at timestamptz NOT NULL,
    entry       bytea NOT NULL
);
CREATE TEMPORARY TABLE staged_tiles (
    level  smallint NOT NULL,
    number bigint NOT NULL,
    hashes bytea NOT NULL,
    root   bytea NOT NULL
);
CREATE TEMPORARY TABLE staged_checkpoints (
    size bigint NOT NULL,
    root bytea NOT NULL,
    note text NOT NULL
);
CREATE TEMPORARY TABLE staged_annexes (
    commitment bytea NOT NULL,
    position   bigint NOT NULL,
    field      text NOT NULL,
    salt       bytea NOT NULL,
    text       text NOT NULL
);
GRANT SELECT ON staged_events, staged_tiles, staged_checkpoints, staged_annexes TO tracker_owner;

-- name: lock
-- Block appends and publishing until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('log.append', 0)),
       pg_advisory_xact_lock(hashtextextended('log.publish', 0));

-- name: used
-- Whether anything was ever recorded or published here.
SELECT EXISTS (SELECT FROM log.events) OR EXISTS (SELECT FROM log.checkpoints)
    OR EXISTS (SELECT FROM log.tiles);

-- name: end
-- The present last position.
SELECT coalesce(max(position), 0) FROM log.events;

-- name: collect_words
-- Index the words of an empty log's texts together at the end, which takes half as long. Nobody reads it yet.
ALTER INDEX log.annexes_words SET (fastupdate = on);

-- name: index_words
SELECT gin_clean_pending_list('log.annexes_words');
ALTER INDEX log.annexes_words SET (fastupdate = off);

-- name: fill
-- Copy all staged data into the log, the events in their order. Texts that they redact are marked as
-- redacted at once. Tiles and checkpoints of a log that is continued were compared with these.
INSERT INTO log.events (position, event_id, stream, version, type, recorded_at, entry)
SELECT position, event_id, stream, version, type, recorded_at, entry FROM staged_events ORDER BY position;
INSERT INTO log.tiles (level, number, hashes, root)
SELECT level, number, hashes, root FROM staged_tiles ORDER BY level, number
ON CONFLICT DO NOTHING;
INSERT INTO log.checkpoints (size, root, note) SELECT size, root, note FROM staged_checkpoints ORDER BY size
ON CONFLICT DO NOTHING;
INSERT INTO log.annexes (commitment, position, field, salt, text)
SELECT commitment, position, field, salt, text FROM staged_annexes ORDER BY position, field
ON CONFLICT DO NOTHING;

-- name: unstage
-- Empty the staging tables for the next data.
TRUNCATE staged_events, staged_tiles, staged_checkpoints, staged_annexes;

-- name: analyze
-- Update the statistics of a filled log.
ANALYZE log.events, log.tiles, log.checkpoints;

-- name: notify
-- Notify followers of the new end of the log.
SELECT pg_notify('log', $1);
