-- The last events of entities, for lists of pages with their times of change.

-- name: of_entities
-- The last event of each entity of a kind, in the order of names. OFFSET selects a part of the list.
SELECT DISTINCT ON (stream) stream, recorded_at FROM log.events
WHERE stream >= $1 || '/' AND stream < $1 || '0'
ORDER BY stream, version DESC
LIMIT $2 OFFSET $3;

-- name: parts
-- The last event in each part of that list.
SELECT number / $2 AS part, max(recorded_at) AS recorded_at
FROM (
    SELECT row_number() OVER (ORDER BY stream) - 1 AS number, recorded_at
    FROM (
        SELECT DISTINCT ON (stream) stream, recorded_at FROM log.events
        WHERE stream >= $1 || '/' AND stream < $1 || '0'
        ORDER BY stream, version DESC) AS entity) AS numbered
GROUP BY part
ORDER BY part;

-- name: about
-- The last event of the entities that were ever about each of some words.
SELECT subject.word, max(event.recorded_at) AS recorded_at
FROM subjects AS subject
CROSS JOIN LATERAL (
    SELECT recorded_at FROM log.events WHERE stream = subject.entity ORDER BY version DESC LIMIT 1) AS event
WHERE subject.word = ANY ($1::text[])
GROUP BY subject.word;

-- name: newest
-- The last event of the log.
SELECT recorded_at FROM log.events ORDER BY position DESC LIMIT 1;
