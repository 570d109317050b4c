-- name: last_checkpoint
-- The checkpoint of the whole log, with its cosignatures.
SELECT c.size, c.root, c.note || coalesce(
    (SELECT string_agg(w.signature || E'\n', '' ORDER BY w.witness)
     FROM log.cosignatures w WHERE w.size = c.size), '') AS note
FROM log.checkpoints c ORDER BY c.size DESC LIMIT 1;

-- name: checkpoints
-- A page of checkpoints after a size, with their cosignatures.
SELECT c.size, c.root, c.note || coalesce(
    (SELECT string_agg(w.signature || E'\n', '' ORDER BY w.witness)
     FROM log.cosignatures w WHERE w.size = c.size), '') AS note
FROM log.checkpoints c WHERE c.size > $1 ORDER BY c.size LIMIT 1000;

-- name: events
-- The rows after a position up to another, in order.
SELECT position, event_id, stream, version, type, recorded_at, entry FROM log.events
WHERE position > $1 AND position <= $2 ORDER BY position;

-- name: tile
-- A complete tile.
SELECT hashes, root FROM log.tiles WHERE level = $1 AND number = $2;

-- name: roots
-- The roots of some complete tiles of a level, in order.
SELECT root FROM log.tiles WHERE level = $1 AND number >= $2 AND number < $3 ORDER BY number;

-- name: snapshot
-- The bytes of a snapshot, or whether they are in a directory; neither if they were redacted.
SELECT content, in_directory AND redaction IS NULL AS in_directory FROM watch.snapshots WHERE sha256 = $1;

-- name: redacts
-- Whether an event redacted a snapshot.
SELECT EXISTS (
    SELECT FROM watch.snapshots s JOIN log.events e ON e.position = s.redaction
    WHERE s.sha256 = $1 AND e.type = 'Source.SnapshotRedacted');
