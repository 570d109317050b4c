-- name: texts
-- The existing texts of some commitments.
SELECT commitment, text FROM log.annexes WHERE commitment = ANY ($1) AND text IS NOT NULL;

-- name: of
-- The annexes of some commitments, with the events that redacted them.
SELECT a.commitment, a.position, a.field, a.salt, a.text, e.entry AS redaction
FROM log.annexes a LEFT JOIN log.events e ON e.position = a.redaction
WHERE a.commitment = ANY ($1);

-- name: at
-- The annexes of the events at some positions, with the events that redacted them, in order.
SELECT a.commitment, a.position, a.field, a.salt, a.text, e.entry AS redaction
FROM log.annexes a LEFT JOIN log.events e ON e.position = a.redaction
WHERE a.position = ANY ($1)
ORDER BY a.position, a.field;

-- name: page
-- A page of the annexes of events up to a position ($3), after a position and field ($1, $2), in order.
SELECT a.commitment, a.position, a.field, a.salt, a.text, e.entry AS redaction
FROM log.annexes a LEFT JOIN log.events e ON e.position = a.redaction
WHERE (a.position, a.field) > ($1, $2) AND a.position <= $3
ORDER BY a.position, a.field
LIMIT $4;
