-- name: sources
-- The progress of all sources.
SELECT key, settings, settings_number, watched, cursor, look, complete_look, watched_at, looked_at, ended_at,
       next_look_at, failures, failing_since, last_code, last_error
FROM watch.sources ORDER BY key;

-- name: take
-- Watch a source with recorded settings; with `reset` from an empty cursor. It is due at once.
INSERT INTO watch.sources AS s (key, settings, settings_number, every, look, complete_look)
VALUES ($1, $2::jsonb, $3, $4, $5, $5)
ON CONFLICT (key) DO UPDATE
SET settings = excluded.settings, settings_number = excluded.settings_number, every = excluded.every,
    watched = true, watched_at = CASE WHEN s.watched THEN s.watched_at ELSE clock_timestamp() END,
    next_look_at = clock_timestamp(),
    cursor = CASE WHEN $6 THEN '{}' ELSE s.cursor END,
    complete_look = CASE WHEN $6 THEN 0 ELSE s.complete_look END;

-- name: drop
-- Stop watching a source; its state is kept.
UPDATE watch.sources SET watched = false, failures = 0, failing_since = NULL, last_code = NULL, last_error = NULL
WHERE key = $1;

-- name: address
-- The last content of an address.
SELECT url, etag, last_modified, sha256, media_type, charset, look
FROM watch.addresses WHERE source = $1 AND address = $2;

-- name: remember
-- Remember the content of an address.
INSERT INTO watch.addresses (source, address, url, etag, last_modified, sha256, media_type, charset, look)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (source, address) DO UPDATE
SET url = excluded.url, etag = excluded.etag, last_modified = excluded.last_modified, sha256 = excluded.sha256,
    media_type = excluded.media_type, charset = excluded.charset, look = excluded.look,
    fetched_at = clock_timestamp();

-- name: complete
-- Write that a poll read everything.
UPDATE watch.sources
SET cursor = $2::jsonb, look = $3, complete_look = $3, looked_at = $4, ended_at = $4, next_look_at = $5,
    failures = 0, failing_since = NULL, last_code = NULL, last_error = NULL
WHERE key = $1;

-- name: fail
-- Write that a poll was incomplete: the next one starts from the same cursor.
UPDATE watch.sources
SET look = $2, ended_at = $3, next_look_at = $4, failures = failures + 1,
    failing_since = coalesce(failing_since, $3), last_code = $5, last_error = $6
WHERE key = $1;

-- name: prune_addresses
-- Forget addresses of a source that were not requested for a long time.
DELETE FROM watch.addresses WHERE source = $1 AND fetched_at < clock_timestamp() - $2::interval;

-- name: has_event
-- Whether the log has an event with an id.
SELECT EXISTS (SELECT FROM log.events WHERE event_id = $1);

-- name: summary
-- The state of each watched source, for monitoring.
SELECT key, settings->>'name' AS name, looked_at, watched_at, failing_since, failures, last_code, last_error,
       next_look_at,
       next_look_at + greatest(every / 2, interval '15 minutes') < clock_timestamp() AS overdue,
       EXTRACT(epoch FROM clock_timestamp() - coalesce(looked_at, watched_at))::float AS age_seconds
FROM watch.sources WHERE watched ORDER BY key;

-- name: watching
-- Whether a process holds the lease of the watcher.
SELECT EXISTS (SELECT FROM delivery.leases WHERE name = $1 AND expires_at > clock_timestamp());

-- name: waiting
-- The number of pending candidates, and the age of the oldest in seconds; 0 if there are none.
SELECT count(*) AS candidates, coalesce((
    SELECT EXTRACT(epoch FROM clock_timestamp() - found_at)::float FROM review.candidates
    WHERE state = 'pending' ORDER BY id LIMIT 1), 0) AS oldest_seconds
FROM review.candidates WHERE state = 'pending';
