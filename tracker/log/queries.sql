-- name: confirm
-- Wait until synchronous standbys have all committed data.
SELECT log.confirm();

-- name: read
-- A page of entries after a position, in order; with types, only events of these.
SELECT position, entry FROM log.events
WHERE position > $1 AND ($3::text[] IS NULL OR type = ANY ($3))
ORDER BY position
LIMIT $2;

-- name: page
-- A page of entries between two positions (exclusive) in order, optionally of some types.
SELECT entry FROM log.events
WHERE position > $1 AND position < $2 AND ($4::text[] IS NULL OR type = ANY ($4))
ORDER BY position
LIMIT $3;

-- name: page_from_end
-- The same in descending order.
SELECT entry FROM log.events
WHERE position > $1 AND position < $2 AND ($4::text[] IS NULL OR type = ANY ($4))
ORDER BY position DESC
LIMIT $3;

-- name: count
-- The number of entries of some types between two positions (exclusive).
SELECT count(*) FROM log.events WHERE type = ANY ($3) AND position > $1 AND position < $2;

-- name: about
-- The entries of streams from one name up to another (exclusive), from a position on. OFFSET forces a
-- lookup by name (otherwise the log might be scanned). So the cost depends on the number of matching
-- entries, not on the length of the log.
unnest($1::text[], $2::text[], $3::bigint[]) AS about (low, high, since)
CROSS JOIN LATERAL (
    SELECT position, type, entry FROM log.events WHERE stream >= low AND stream < high OFFSET 0
) AS found

-- name: page_about
-- A page of them between two positions (exclusive) in order, optionally of some types.
SELECT entry FROM {about}
WHERE position > greatest($4, since - 1) AND position < $5 AND ($7::text[] IS NULL OR type = ANY ($7))
ORDER BY position
LIMIT $6;

-- name: page_about_from_end
-- The same in descending order.
SELECT entry FROM {about}
WHERE position > greatest($4, since - 1) AND position < $5 AND ($7::text[] IS NULL OR type = ANY ($7))
ORDER BY position DESC
LIMIT $6;

-- name: count_about
-- Their number.
SELECT count(*) FROM {about}
WHERE position > greatest($4, since - 1) AND position < $5 AND ($6::text[] IS NULL OR type = ANY ($6));

-- name: naming
-- The entries of some types before a position that contain one of some quoted words, in order.
SELECT entry FROM log.events
WHERE type = ANY ($1) AND position < $2
  AND EXISTS (SELECT FROM unnest($3::bytea[]) AS said (word) WHERE position(word IN entry) > 0)
ORDER BY position;

-- name: read_streams
-- Every entry of some streams up to a position, in order.
SELECT stream, position, entry FROM log.events
WHERE stream = ANY ($1) AND position <= $2
ORDER BY position;

-- name: read_streams_after
-- The entries of some streams, each after a version and up to a position, in the order of each. OFFSET
-- forces a lookup per stream.
SELECT asked.stream, entry FROM unnest($1::text[], $2::integer[]) AS asked (stream, version)
CROSS JOIN LATERAL (
    SELECT entry FROM log.events
    WHERE stream = asked.stream AND version > asked.version AND position <= $3
    ORDER BY version OFFSET 0) AS found;

-- name: read_recent
-- The last entries of a stream, up to a number. Of older ones all of some types, and the last one of
-- each of some others.
WITH recent AS (
    SELECT version, entry FROM log.events WHERE stream = $1 ORDER BY version DESC LIMIT $2)
SELECT entry FROM (
    SELECT version, entry FROM recent
    UNION ALL
    SELECT version, entry FROM log.events
    WHERE stream = $1 AND type = ANY ($3) AND version < (SELECT min(version) FROM recent)
    UNION ALL
    SELECT last.version, last.entry FROM unnest($4::text[]) AS asked (type)
    CROSS JOIN LATERAL (
        SELECT version, entry FROM log.events
        WHERE stream = $1 AND type = asked.type AND version < (SELECT min(version) FROM recent)
        ORDER BY version DESC LIMIT 1) AS last) AS found
ORDER BY version;

-- name: read_by_stream
-- A page of entries up to a position, stream by stream, after a place in that order and before a name.
SELECT entry FROM log.events
WHERE (stream, version) > ($1, $2) AND stream < $3 AND position <= $4
ORDER BY stream, version
LIMIT $5;

-- name: events_by_id
-- The streams of events, by their ids.
SELECT event_id, stream FROM log.events WHERE event_id = ANY ($1);

-- name: event_by_id
-- An event by its id.
SELECT position, stream, entry FROM log.events WHERE event_id = $1;

-- name: existing_streams
-- The streams of these that have events.
SELECT DISTINCT stream FROM log.events WHERE stream = ANY ($1);

-- name: age
-- The seconds since the event at a position was recorded, 0 if there is none.
SELECT coalesce((SELECT extract(epoch FROM clock_timestamp() - recorded_at)
                 FROM log.events WHERE position = $1), 0)::double precision;

-- name: clock
-- The time of the database's clock, in seconds.
SELECT extract(epoch FROM clock_timestamp())::double precision;

-- name: position_at
-- The last position recorded at or before a moment, 0 if there is none. Moments and positions have the
-- same order; the query uses the order of the index, so it takes one index step for any moment.
SELECT coalesce((SELECT position FROM log.events WHERE recorded_at <= $1
                 ORDER BY recorded_at DESC, position DESC LIMIT 1), 0);
