-- name: due
-- Subscriptions whose next comparison is due. Immediate ones wait for a new event or a new day.
SELECT id, target, frequency, time_zone, position, day FROM alerts.subscriptions
WHERE confirmed_at IS NOT NULL AND stopped_at IS NULL AND due_at <= $1
  AND (frequency <> 'immediate' OR checked_position IS DISTINCT FROM $2
       OR checked_day IS DISTINCT FROM ($1::timestamptz AT TIME ZONE time_zone)::date)
  AND id <> ALL($4::uuid[])
ORDER BY due_at, id LIMIT $3;

-- name: add_digest
-- Enqueue a digest, if its subscription still exists.
INSERT INTO alerts.outbox (subscription, kind, message_id, message)
SELECT id, 'digest', $2, $3 FROM alerts.subscriptions WHERE id = $1;

-- name: advance
-- Set the moment of the last digest, and the time of the next comparison.
UPDATE alerts.subscriptions
SET position = $2, day = $3, checked_position = $2, checked_day = $3, due_at = $4
WHERE id = $1;

-- name: postpone
-- Set the time of the next comparison after one without a digest.
UPDATE alerts.subscriptions SET checked_position = $2, checked_day = $3, due_at = $4 WHERE id = $1;

-- name: sent_last_minute
SELECT count(*) FROM alerts.outbox WHERE sent_at > clock_timestamp() - interval '1 minute';

-- name: waiting
-- Messages to send now, with their recipients, except those of some domains. An invalid page stops digests of
-- it, not the mail with links.
SELECT o.id, o.kind, o.subscription, o.message, o.attempts, s.address, domain
FROM alerts.outbox o JOIN alerts.subscriptions s ON s.id = o.subscription
CROSS JOIN lower(split_part(s.address, '@', 2)) AS domain
WHERE o.message IS NOT NULL AND o.next_attempt_at <= clock_timestamp()
  AND (s.stopped_at IS NULL OR s.stop_reason = 'page') AND domain <> ALL($2::text[])
ORDER BY o.kind = 'digest', o.next_attempt_at, o.id LIMIT $1;

-- name: sent
UPDATE alerts.outbox
SET message = NULL, sent_at = clock_timestamp(), attempts = attempts + 1, last_error = NULL
WHERE id = $1;

-- name: accepted
-- The address takes mail: earlier refusals do not count.
UPDATE alerts.subscriptions SET failures = 0 WHERE id = $1 AND failures > 0;

-- name: retry
UPDATE alerts.outbox SET attempts = attempts + 1, next_attempt_at = $2, last_error = $3 WHERE id = $1;

-- name: wait
-- Postpone messages without an attempt.
UPDATE alerts.outbox SET next_attempt_at = $2 WHERE id = ANY($1::bigint[]);

-- name: note_outage
UPDATE alerts.outbox SET last_error = $2 WHERE id = $1;

-- name: give_up
UPDATE alerts.outbox
SET message = NULL, failed_at = clock_timestamp(), attempts = attempts + 1, last_error = $2
WHERE id = $1;

-- name: refused
-- Count a permanent refusal; stop after some of them.
UPDATE alerts.subscriptions
SET failures = failures + 1,
    stopped_at = CASE WHEN failures + 1 >= $2 THEN clock_timestamp() ELSE stopped_at END,
    stop_reason = CASE WHEN failures + 1 >= $2 THEN 'address' ELSE stop_reason END
WHERE id = $1;

-- name: stop
-- Stop a subscription whose page is invalid for good.
UPDATE alerts.subscriptions SET stopped_at = clock_timestamp(), stop_reason = 'page' WHERE id = $1;

-- name: drop_unconfirmed
-- Delete subscriptions that nobody confirmed in time, and a refused one.
DELETE FROM alerts.subscriptions
WHERE confirmed_at IS NULL AND (id = $1 OR created_at < clock_timestamp() - $2::interval);

-- name: prune
-- Delete records of sent and given up messages.
DELETE FROM alerts.outbox WHERE coalesce(sent_at, failed_at) < clock_timestamp() - interval '30 days';
