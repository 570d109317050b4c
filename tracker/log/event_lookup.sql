-- name: by_position
-- Events by their positions.
SELECT position, entry FROM log.events WHERE position = ANY ($1);

-- name: by_id
-- Events by their ids.
SELECT event_id, entry FROM log.events WHERE event_id = ANY ($1);

-- name: of_types
-- The events of some streams that are of some types, in order. OFFSET forces a lookup by stream
-- (otherwise all events of a type might be read).
SELECT found.stream, found.entry FROM unnest($1::text[]) AS asked (stream)
CROSS JOIN LATERAL (
    SELECT stream, position, type, entry FROM log.events WHERE stream = asked.stream OFFSET 0) AS found
WHERE found.type = ANY ($2)
ORDER BY found.position;

-- name: with_text
-- The first events of some types whose entries contain a text ($2), in order.
SELECT entry FROM log.events
WHERE type = ANY ($1) AND position(convert_to($2, 'UTF8') IN entry) > 0
ORDER BY position LIMIT $3;
