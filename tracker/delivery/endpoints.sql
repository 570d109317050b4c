-- name: all
-- Endpoints by name, with all details; optionally of one owner.
SELECT e.*, r.first_position AS replay_first, r.last_position AS replay_last,
       r.position AS replay_position, r.events AS replay_events, r.requested_at AS replay_requested_at,
       (SELECT count(*) FROM delivery.parked p WHERE p.endpoint = e.id) AS parked,
       array(SELECT row(k.algorithm, k.public_key, k.created_at, k.retires_at)
             FROM delivery.keys k
             WHERE k.endpoint = e.id AND (k.retires_at IS NULL OR k.retires_at > now())
             ORDER BY k.id) AS keys
FROM delivery.endpoints e LEFT JOIN delivery.replays r ON r.endpoint = e.id
WHERE ($1::text IS NULL OR e.owner = $1) AND ($2::text IS NULL OR e.name = $2)
ORDER BY e.name;

-- name: lock
-- Lock one endpoint for a change.
SELECT id, state, position FROM delivery.endpoints
WHERE name = $1 AND ($2::text IS NULL OR owner = $2) FOR UPDATE;

-- name: take_turn
-- Serialize the creation of endpoints, so that their number is correct.
SELECT pg_advisory_xact_lock(hashtextextended('delivery.endpoints', 0));

-- name: count
-- The number of endpoints, of all and of an owner, and whether a name is in use.
SELECT count(*) AS total, count(*) FILTER (WHERE owner = $1) AS owned,
       count(*) FILTER (WHERE name = $2) > 0 AS taken
FROM delivery.endpoints;

-- name: add
INSERT INTO delivery.endpoints (name, url, owner, types, commodities, places, entity, format,
                                max_batch_events, with_proof, started_after, position, previous_position)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11) RETURNING id;

-- name: add_key
INSERT INTO delivery.keys (endpoint, algorithm, secret, public_key) VALUES ($1, $2, $3, $4);

-- name: retiring_until
-- Expiry of a key that another one has replaced; null if there is none.
SELECT max(retires_at) FROM delivery.keys WHERE endpoint = $1 AND retires_at > now();

-- name: retire_keys
-- Let keys sign for some further hours together with their successors.
UPDATE delivery.keys SET retires_at = now() + $2::interval
WHERE endpoint = $1 AND (retires_at IS NULL OR retires_at > now())
RETURNING algorithm;

-- name: remove_retired_keys
DELETE FROM delivery.keys WHERE endpoint = $1 AND retires_at <= now();

-- name: pause
UPDATE delivery.endpoints SET state = 'paused' WHERE id = $1;

-- name: resume
-- Resume at the cursor with failures cleared; the receiver is asked again whether it accepts deliveries.
UPDATE delivery.endpoints
SET state = 'active', failures = 0, failing_since = NULL, next_attempt_at = NULL, last_error = NULL,
    last_status = NULL, handshake_at = NULL
WHERE id = $1;

-- name: remove
DELETE FROM delivery.endpoints WHERE id = $1;

-- name: replay
-- Replay some positions, replacing an earlier replay.
INSERT INTO delivery.replays (endpoint, first_position, last_position, position, previous_position, events)
VALUES ($1, $2::bigint, $3, $2 - 1, $2 - 1, $4) RETURNING requested_at;

-- name: end_replay
DELETE FROM delivery.replays WHERE endpoint = $1 RETURNING position;

-- name: park
INSERT INTO delivery.parked (endpoint, position, parked_by, reason) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING position;

-- name: parked
SELECT position, previous_position, parked_at, parked_by, reason, retry_at, last_error
FROM delivery.parked WHERE endpoint = $1 ORDER BY position;

-- name: retry_parked
UPDATE delivery.parked SET retry_at = now() WHERE endpoint = $1 AND position = $2 RETURNING position;

-- name: retry
UPDATE delivery.endpoints SET next_attempt_at = NULL WHERE id = $1;

-- name: attempts
-- The last requests, newest first; optionally only failed ones.
SELECT attempted_at, message_id, first_position, last_position, events, attempt, duration_seconds, status,
       error, response
FROM delivery.attempts WHERE endpoint = $1 AND (NOT $3 OR error IS NOT NULL)
ORDER BY id DESC LIMIT $2;

-- name: record_change
INSERT INTO delivery.changes (endpoint, name, actor, action, reason, detail) VALUES ($1, $2, $3, $4, $5, $6);

-- name: changes
-- The changes of the endpoint that has a name now, newest first.
SELECT changed_at, actor, action, reason, detail FROM delivery.changes
WHERE endpoint = $1 ORDER BY id DESC LIMIT $2;

-- name: notify
-- Notify deliverers to reload an endpoint.
SELECT pg_notify('delivery', $1::text);
