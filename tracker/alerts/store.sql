-- name: lock_requests
-- Serialize requests, so that limits are exact.
SELECT pg_advisory_xact_lock(hashtextextended('alerts.requests', 0));

-- name: forget_requests
DELETE FROM alerts.requests WHERE requested_at < clock_timestamp() - interval '1 day';

-- name: usage
-- Requests of the last day for the quota, by the networks of a client, whose keys are prefixes of each other; the
-- requests for an address; the numbers of subscriptions. Mails with links have no network. An address has one
-- key, or two for rows of earlier releases.
WITH networks AS (
    SELECT prefix, count(requested_at) AS of_network,
           coalesce(extract(epoch FROM min(requested_at) + interval '1 day' - clock_timestamp()), 0)::float8
               AS seconds
    FROM unnest($1::bytea[]) AS prefix
    LEFT JOIN alerts.requests ON substr(network_key, 1, length(prefix)) = prefix
    GROUP BY prefix
)
SELECT count(*) FILTER (WHERE network_key <> '') AS of_day,
       count(*) FILTER (WHERE network_key <> '' AND requested_at > clock_timestamp() - interval '1 hour') AS of_hour,
       coalesce(extract(epoch FROM min(requested_at) FILTER (
           WHERE network_key <> '' AND requested_at > clock_timestamp() - interval '1 hour')
           + interval '1 hour' - clock_timestamp()), 0)::float8 AS hour_seconds,
       (SELECT array_agg(of_network ORDER BY length(prefix) DESC) FROM networks) AS of_networks,
       (SELECT array_agg(seconds ORDER BY length(prefix) DESC) FROM networks) AS network_seconds,
       count(*) FILTER (WHERE network_key <> '' AND address_key = ANY($2::bytea[])) AS of_address,
       count(*) FILTER (WHERE network_key = '' AND address_key = ANY($2::bytea[])) AS links,
       (SELECT count(*) FROM alerts.subscriptions WHERE confirmed_at IS NOT NULL) AS subscriptions,
       (SELECT count(*) FROM alerts.subscriptions WHERE address_key = ANY($2::bytea[])) AS own_subscriptions
FROM alerts.requests;

-- name: add_request
INSERT INTO alerts.requests (network_key, address_key) VALUES ($1, $2);

-- name: add
-- Add a subscription that waits for its confirmation.
INSERT INTO alerts.subscriptions (id, address, address_key, target, frequency, time_zone, confirmation)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: enqueue
INSERT INTO alerts.outbox (subscription, kind, message_id, message) VALUES ($1, 'confirmation', $2, $3);

-- name: enqueue_links
-- Enqueue a mail to an address, if it has confirmed subscriptions; any of them names the address.
INSERT INTO alerts.outbox (subscription, kind, message_id, message)
SELECT id, 'links', $2, $3 FROM alerts.subscriptions
WHERE address_key = ANY($1::bytea[]) AND confirmed_at IS NOT NULL
ORDER BY stop_reason IS NOT DISTINCT FROM 'address', id LIMIT 1
RETURNING id;

-- name: confirmation
-- The subscription of a link that confirms, before and after its confirmation.
SELECT target, frequency, time_zone, confirmed_at IS NOT NULL AS confirmed FROM alerts.subscriptions
WHERE id = $1 AND (confirmation = $2 OR confirmed_at IS NOT NULL);

-- name: confirm
-- Confirm a subscription; the next digest compares with this moment.
UPDATE alerts.subscriptions
SET confirmation = NULL, confirmed_at = clock_timestamp(), position = $3, day = $4, due_at = $5
WHERE id = $1 AND confirmation = $2
RETURNING address_key, target;

-- name: replace_earlier
-- Delete the earlier subscriptions of an address to the same page.
DELETE FROM alerts.subscriptions
WHERE address_key = $1 AND target = $2 AND id <> $3 AND confirmed_at IS NOT NULL;

-- name: confirmed
SELECT target, frequency, time_zone FROM alerts.subscriptions WHERE id = $1 AND confirmed_at IS NOT NULL;

-- name: remove
DELETE FROM alerts.subscriptions WHERE id = $1;

-- name: of_address
SELECT id, target, frequency, time_zone, stop_reason FROM alerts.subscriptions
WHERE address_key = ANY($1::bytea[]) AND confirmed_at IS NOT NULL ORDER BY confirmed_at, id;

-- name: remove_of_address
-- Delete subscriptions of an address: one, or all.
DELETE FROM alerts.subscriptions
WHERE address_key = ANY($1::bytea[]) AND ($2::uuid IS NULL OR id = $2) RETURNING id;

-- name: summary
-- Numbers for monitoring.
SELECT (SELECT count(*) FROM alerts.subscriptions WHERE confirmed_at IS NOT NULL AND stopped_at IS NULL)
           AS active,
       (SELECT count(*) FROM alerts.subscriptions WHERE confirmed_at IS NULL) AS unconfirmed,
       (SELECT count(*) FROM alerts.subscriptions WHERE stopped_at IS NOT NULL) AS stopped,
       count(*) AS waiting,
       coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest_seconds
FROM alerts.outbox WHERE sent_at IS NULL AND failed_at IS NULL;
