-- Reading the tracker's log for the eventsourcing library.

-- name: select_events
-- The entries of a stream after one version up to another, in order.
SELECT stream AS originator_id, version AS originator_version, type AS topic, entry AS state,
       position AS notification_id
FROM log.events
WHERE stream = $1 AND version > coalesce($2, 0) AND version <= coalesce($3, 2147483647)
ORDER BY version
LIMIT $4::bigint;

-- name: select_events_backwards
-- The same in descending order.
SELECT stream AS originator_id, version AS originator_version, type AS topic, entry AS state,
       position AS notification_id
FROM log.events
WHERE stream = $1 AND version > coalesce($2, 0) AND version <= coalesce($3, 2147483647)
ORDER BY version DESC
LIMIT $4::bigint;

-- name: select_notifications
-- The entries from a position up to another in order, optionally of some types.
SELECT stream AS originator_id, version AS originator_version, type AS topic, entry AS state,
       position AS notification_id
FROM log.events
WHERE position >= $1 AND position <= coalesce($2, 9223372036854775807)
  AND ($3::text[] IS NULL OR type = ANY ($3))
ORDER BY position
LIMIT $4::bigint;

-- name: max_notification_id
-- The last position, or null if the log is empty.
SELECT max(position) FROM log.events;
