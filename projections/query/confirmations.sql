-- Records that support statuses, as recorded at a position ($1).

-- name: controls
-- The positions of the effective facts of every instrument, and the date on which the newest was recorded.
SELECT entity, positions, (recorded_at AT TIME ZONE 'UTC')::date AS recorded_on
FROM (
  SELECT entity, array_agg(position ORDER BY position) AS positions, max(position) AS newest FROM facts
  WHERE entity >= 'export-control/' AND entity < 'export-control/~'
    AND since <= $1::bigint AND until > $1::bigint
  GROUP BY entity
) AS control JOIN log.events AS event ON event.position = newest;

-- name: announcements
-- The effective facts of announcements about instruments.
SELECT DISTINCT ON (event.position) event.entry
FROM subjects AS subject JOIN facts AS fact USING (kind, entity)
JOIN log.events AS event ON event.position = fact.position
WHERE subject.kind = 'announcement'
  AND subject.word >= 'about/export-control/' AND subject.word < 'about/export-control/~'
  AND fact.since <= $1::bigint AND fact.until > $1::bigint;

-- name: entries
-- Events by position ($1).
SELECT entry FROM log.events WHERE position = ANY ($1::bigint[]) ORDER BY position;
