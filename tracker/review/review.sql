-- name: lock
-- Lock one candidate for a change.
SELECT {columns} FROM review.candidates c WHERE c.id = $1 FOR UPDATE;

-- name: set_state
-- Write the new state of a candidate.
UPDATE review.candidates
SET state = $2, revision = revision + 1, accepted_by = $3, postponed_until = $4, refusal = $5,
    accepting_at = CASE WHEN $2 = 'accepting' THEN clock_timestamp() END,
    closed_at = CASE WHEN $2 IN ('rejected') THEN clock_timestamp() END
WHERE id = $1;

-- name: assign
UPDATE review.candidates SET revision = revision + 1, assigned_to = $2 WHERE id = $1;

-- name: edit
-- Replace the proposed fact; earlier acceptances are cleared.
UPDATE review.candidates
SET revision = revision + 1, kind = 'fact', stream = $2, type = $3, data = $4, commodities = $5,
    issuers = $6, words = $7, accepted_by = '{}', refusal = NULL
WHERE id = $1;

-- name: finish
-- Mark a candidate as recorded. Its free texts are in the log, where they can be redacted; here they
-- are deleted.
UPDATE review.candidates
SET state = 'accepted', revision = revision + 1, position = $2, data = $3, accepting_at = NULL,
    postponed_until = NULL, refusal = NULL, closed_at = clock_timestamp()
WHERE id = $1 AND state <> 'accepted'
RETURNING revision;

-- name: decide
INSERT INTO review.decisions (candidate, revision, actor, action, reason, detail)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: unsettled
-- Accepted facts whose recording is unconfirmed, and whether a time limit has passed since.
SELECT id, clock_timestamp() - accepting_at > $1::interval AS late
FROM review.candidates WHERE state = 'accepting' AND kind = 'fact' ORDER BY id LIMIT 100;

-- name: due
-- Candidates postponed until a day that has come.
SELECT id FROM review.candidates
WHERE state = 'postponed' AND postponed_until <= $1 ORDER BY postponed_until LIMIT 100;

-- name: earlier
-- The last accepted candidate of the same part of the same item.
SELECT e.id FROM review.candidates c JOIN review.candidates e
    ON (e.source, e.item, e.part) = (c.source, c.item, c.part) AND e.id <> c.id AND e.state = 'accepted'
WHERE c.id = $1 ORDER BY e.position DESC LIMIT 1;
