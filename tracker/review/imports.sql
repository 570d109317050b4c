-- name: take_turn
-- Lock imports of accepted files for the lifetime of the connection: one process at a time.
SELECT pg_try_advisory_lock(hashtextextended('review.imports', 0));

-- name: waiting
-- Accepted files that are not imported yet, in the order of acceptance.
SELECT id FROM review.candidates WHERE state = 'accepting' AND kind = 'import' ORDER BY accepting_at, id;

-- name: receipt
-- The receipt of a file by a reader, recorded since a time; null if there is none.
SELECT min(position) FROM log.events
WHERE type = 'Import.Recorded' AND recorded_at >= $3
  AND convert_from(entry, 'UTF8')::jsonb #>> '{data,reader}' = $1
  AND convert_from(entry, 'UTF8')::jsonb #>> '{data,sha256}' = $2;
