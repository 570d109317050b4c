-- name: describe
-- Some snapshots without their bytes, with the events that redacted them.
SELECT s.sha256, s.size, s.media_type, s.stored_at, s.in_directory, s.content IS NOT NULL AS in_database,
       e.entry AS redaction
FROM watch.snapshots s LEFT JOIN log.events e ON e.position = s.redaction
WHERE s.sha256 = ANY ($1);

-- name: page
-- A page of the snapshots before a time and a hash ($1, $2), newest first.
SELECT s.sha256, s.size, s.media_type, s.stored_at, s.in_directory, s.content IS NOT NULL AS in_database,
       e.entry AS redaction
FROM watch.snapshots s LEFT JOIN log.events e ON e.position = s.redaction
WHERE (s.stored_at, s.sha256) < ($1, $2)
ORDER BY s.stored_at DESC, s.sha256 DESC
LIMIT $3;

-- name: part
-- Some bytes of a snapshot, from an offset (0, 1, …) on; null if the table has none.
SELECT substring(content FROM $2 + 1 FOR $3) FROM watch.snapshots WHERE sha256 = $1;

-- name: insert
-- Insert a new snapshot.
INSERT INTO watch.snapshots (sha256, size, media_type, content, in_directory)
VALUES ($1, $2, $3, $4::bytea, $4::bytea IS NULL)
ON CONFLICT DO NOTHING;

-- name: take_in
-- Move bytes from a directory to the table, unless they are redacted.
UPDATE watch.snapshots SET content = $2, in_directory = false
WHERE sha256 = $1 AND in_directory AND redaction IS NULL;

-- name: redacted
-- All redacted snapshots.
SELECT sha256 FROM watch.snapshots WHERE redaction IS NOT NULL;
