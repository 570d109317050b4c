-- name: head
-- The last position, 0 when nothing is recorded; and whether commits wait for standbys.
SELECT coalesce(max(position), 0) AS position,
       current_setting('synchronous_standby_names') <> '' AS synchronous
FROM log.events;
