-- name: take_turn
-- One process imports accepted files at a time, for as long as its connection lasts.
SELECT pg_try_advisory_lock(hashtextextended('review.imports', 0));

-- name: waiting
-- Files that were accepted and are not imported yet, in the order of acceptance.
SELECT id FROM review.candidates WHERE state = 'accepting' AND kind = 'import' ORDER BY accepting_at, id;

-- name: receipt
-- The receipt of a file by a reader, recorded since a time; null where there is none.
SELECT min(position) FROM log.events
WHERE type = 'Import.Recorded' AND recorded_at >= $3
  AND convert_from(entry, 'UTF8')::jsonb #>> '{data,reader}' = $1
  AND convert_from(entry, 'UTF8')::jsonb #>> '{data,sha256}' = $2;
