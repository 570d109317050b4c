-- name: head
-- The last position, 0 if the log is empty; and whether commits wait for standbys.
SELECT coalesce(max(position), 0) AS position,
       current_setting('synchronous_standby_names') <> '' AS synchronous
FROM log.events;

-- name: look
-- The present state of data shown before: the last position; whether this is a standby, and otherwise the
-- timeline; the hash of one entry, the id of another, and the hash of a third.
SELECT (SELECT coalesce(max(position), 0) FROM log.events),
       pg_is_in_recovery(),
       CASE WHEN pg_is_in_recovery() THEN 0
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer END,
       (SELECT sha256('\x00'::bytea || entry) FROM log.events WHERE position = $1),
       (SELECT event_id FROM log.events WHERE position = $2),
       (SELECT sha256('\x00'::bytea || entry) FROM log.events WHERE position = $3);
