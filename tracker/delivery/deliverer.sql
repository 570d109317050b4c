-- name: endpoints
-- Endpoints with their replays, parked events and signing keys; some, or all.
SELECT e.id, e.name, e.url, e.types, e.commodities, e.places, e.entity, e.format, e.max_batch_events,
       e.with_proof, e.state, e.position, e.previous_position, e.last_accepted_at, e.failures, e.failing_since,
       e.next_attempt_at, e.last_error, e.last_status, e.handshake_at, e.requests_a_minute,
       r.id AS replay_id, r.last_position AS replay_last, r.position AS replay_position,
       r.previous_position AS replay_previous,
       array(SELECT row(k.algorithm, k.secret, k.retires_at) FROM delivery.keys k
             WHERE k.endpoint = e.id AND (k.retires_at IS NULL OR k.retires_at > now())
             ORDER BY k.id DESC) AS keys,
       array(SELECT row(p.position, p.previous_position, p.retry_at IS NOT NULL)
             FROM delivery.parked p WHERE p.endpoint = e.id ORDER BY p.position) AS parked
FROM delivery.endpoints e LEFT JOIN delivery.replays r ON r.endpoint = e.id
WHERE $1::bigint[] IS NULL OR e.id = ANY ($1)
ORDER BY e.id;

-- name: advance
-- Write the progress and the failures of endpoints.
UPDATE delivery.endpoints e
SET position = p.position, previous_position = p.previous_position, last_accepted_at = p.last_accepted_at,
    failures = p.failures, failing_since = p.failing_since, next_attempt_at = p.next_attempt_at,
    last_error = p.last_error, last_status = p.last_status, handshake_at = p.handshake_at,
    requests_a_minute = p.requests_a_minute
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::integer[],
            $6::timestamptz[], $7::timestamptz[], $8::text[], $9::integer[], $10::timestamptz[],
            $11::integer[])
    AS p (id, position, previous_position, last_accepted_at, failures, failing_since, next_attempt_at,
          last_error, last_status, handshake_at, requests_a_minute)
WHERE e.id = p.id;

-- name: add_attempts
-- Insert requests that were made, in order, for endpoints that still exist.
INSERT INTO delivery.attempts (endpoint, attempted_at, message_id, first_position, last_position, events,
                               attempt, duration_seconds, status, error, response)
SELECT a.endpoint, a.attempted_at, a.message_id, a.first_position, a.last_position, a.events, a.attempt,
       a.duration_seconds, a.status, a.error, a.response
FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::bigint[], $5::bigint[], $6::integer[],
            $7::integer[], $8::double precision[], $9::integer[], $10::text[], $11::text[]) WITH ORDINALITY
    AS a (endpoint, attempted_at, message_id, first_position, last_position, events, attempt,
          duration_seconds, status, error, response, number)
WHERE EXISTS (SELECT FROM delivery.endpoints e WHERE e.id = a.endpoint)
ORDER BY a.number;

-- name: advance_replays
UPDATE delivery.replays r SET position = p.position, previous_position = p.previous_position
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS p (id, position, previous_position)
WHERE r.id = p.id;

-- name: end_replays
DELETE FROM delivery.replays WHERE id = ANY ($1::bigint[]);

-- name: pass_parked
-- Set the previous positions of parked events that the cursor has passed.
UPDATE delivery.parked p SET previous_position = passed.previous_position
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS passed (endpoint, position, previous_position)
WHERE p.endpoint = passed.endpoint AND p.position = passed.position;

-- name: fail_parked
UPDATE delivery.parked p SET retry_at = NULL, last_error = failed.error
FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS failed (endpoint, position, error)
WHERE p.endpoint = failed.endpoint AND p.position = failed.position;

-- name: end_parked
-- Remove parked events that were accepted.
DELETE FROM delivery.parked p
USING unnest($1::bigint[], $2::bigint[]) AS accepted (endpoint, position)
WHERE p.endpoint = accepted.endpoint AND p.position = accepted.position;

-- name: disable
-- Disable and record endpoints whose receivers answered 410 (Gone).
WITH gone AS (
    UPDATE delivery.endpoints SET state = 'disabled'
    WHERE id = ANY ($1::bigint[]) AND state = 'active' RETURNING id, name
)
INSERT INTO delivery.changes (endpoint, name, actor, action, reason)
SELECT id, name, 'tracker', 'disabled', 'the receiver answered 410 Gone' FROM gone;

-- name: prune_attempts
-- Delete all but the last attempts of some endpoints.
DELETE FROM delivery.attempts a USING unnest($1::bigint[]) AS pruned (endpoint)
WHERE a.endpoint = pruned.endpoint AND a.id < (
    SELECT id FROM delivery.attempts last WHERE last.endpoint = pruned.endpoint
    ORDER BY id DESC OFFSET $2 - 1 LIMIT 1);

-- name: summary
-- Endpoints by state, the number of failing active ones, and the lowest position of the others.
SELECT count(*) FILTER (WHERE state = 'active') AS active,
       count(*) FILTER (WHERE state = 'paused') AS paused,
       count(*) FILTER (WHERE state = 'disabled') AS disabled,
       count(*) FILTER (WHERE state = 'active' AND failures > 0) AS failing,
       min(position) FILTER (WHERE state = 'active' AND failures = 0) AS position,
       EXISTS (SELECT FROM delivery.leases WHERE name = $1 AND expires_at > now()) AS delivering
FROM delivery.endpoints;
