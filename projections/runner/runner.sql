-- Tracking: the position of each projection. A rebuild has its own row, named after the projection and the
-- attempt, until it replaces the live one.

-- name: tracking_exists
-- (Not by to_regclass: its cache may be older than the lock that this transaction waited for.)
SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'projection' AND tablename = 'progress');

-- name: create_tracking
-- Not under its earlier name `tracking`: see `refuse_older_releases`.
CREATE TABLE projection.progress (
    projection text PRIMARY KEY,
    position   bigint NOT NULL,
    fold       text NOT NULL,                -- the code that made the rows
    release    text NOT NULL                 -- the number of its release (release.py)
);

-- name: live_tables_exist
-- Whether some tables exist, such as those of a release that tracked them elsewhere.
SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'projection' AND tablename = ANY($1));

-- name: begin_tracking
-- New tables are at position 0.
INSERT INTO projection.progress (projection, position, fold, release) VALUES ($1, 0, $2, $3);

-- name: tracking
-- The positions of projections, and the code that made their rows.
SELECT projection, position, fold, release, current_setting('synchronous_standby_names') <> '' AS synchronous
FROM projection.progress WHERE projection = ANY ($1);

-- name: position
-- The position of a projection.
SELECT position FROM projection.progress WHERE projection = $1;

-- name: advance
-- Store the position after a page, and notify every process that reads the projection (see progress.py).
-- Without a result, the stored position is not the one after which the page begins.
WITH moved AS (
    UPDATE projection.progress SET position = $3 WHERE projection = $1 AND position = $2 RETURNING position
)
SELECT pg_notify('projected_' || $1::text, position::text) FROM moved;

-- name: lock_creation
-- One process at a time creates tables.
SELECT pg_advisory_xact_lock(hashtextextended('tables', 0));

-- name: take_turn
-- The lock for one projector of a projection at a time, with a timeout for its transaction. A process that
-- does not get the lock leaves the work to the holder.
SELECT pg_try_advisory_xact_lock(hashtextextended('projector/' || $1::text, 0)),
       set_config('transaction_timeout', $2, true);

-- name: wait_turn
-- The same, waiting for the lock.
SELECT pg_advisory_xact_lock(hashtextextended('projector/' || $1::text, 0));

-- name: take_rebuild
-- The lock for one rebuild of a projection at a time; others wait.
SELECT pg_advisory_lock(hashtextextended('rebuild/' || $1::text, 0));

-- name: end_silent_session
-- These are session locks, so a process that stops sending keepalive queries loses them.
SELECT set_config('idle_session_timeout', $1, false);

-- name: end_rebuilds
-- End earlier attempts, whose processes have died or lost the lock. This waits for their running writes.
DELETE FROM projection.progress WHERE starts_with(projection, $1::text || '/');

-- name: end_older_rebuilds
-- The same for releases that tracked elsewhere.
DELETE FROM projection.tracking WHERE starts_with(projection, $1::text || '/');

-- name: hold_rebuild
-- Whether an attempt is still current. If so, it stays current until this transaction ends, which has a
-- timeout.
SELECT set_config('transaction_timeout', $2, true) FROM projection.progress WHERE projection = $1 FOR SHARE;

-- name: limit_lock_wait
-- A session that waits for a table blocks others behind it.
SET LOCAL lock_timeout = '250ms';

-- name: drop_next_tables
-- The statement that drops tables left by an earlier rebuild attempt.
SELECT format('DROP TABLE IF EXISTS %s', string_agg(format('projection_next.%I', name), ', '))
FROM unnest($1::text[]) AS name;

-- name: replace_live_tables
-- The statements that replace the live tables by those of a rebuild, with locks in the order of queries.
SELECT format('DROP TABLE IF EXISTS %s; ', string_agg(format('projection.%I', name), ', ' ORDER BY place))
       || string_agg(format('ALTER TABLE projection_next.%I SET SCHEMA projection', name), '; ' ORDER BY place)
FROM unnest($1::text[]) WITH ORDINALITY AS tables (name, place);

-- name: replace_tracking
-- Make the tracking of a rebuild that of the projection.
WITH replaced AS (DELETE FROM projection.progress WHERE projection = $2 RETURNING position, fold, release)
INSERT INTO projection.progress AS live (projection, position, fold, release)
SELECT $1, position, fold, release FROM replaced
ON CONFLICT (projection) DO UPDATE SET position = EXCLUDED.position, fold = EXCLUDED.fold, release = EXCLUDED.release;

-- name: older_tracking_exists
-- Whether an older release has tracked here, and may still do so.
SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'projection' AND tablename = 'tracking');

-- name: refuse_older_releases
-- Servers of releases that do not compare the fold stop projecting and are not ready, because every query
-- on their tracking fails (migration 18).
DROP TABLE projection.tracking;
CREATE VIEW projection.tracking AS SELECT * FROM log.refuse_older_release();

-- name: hold_tracking
-- Who asks for a position now waits for the end of the replacement.
LOCK TABLE projection.progress IN ACCESS EXCLUSIVE MODE;

-- name: announce_replacement
-- Notify of a replacement by a fold and release that is about to be committed.
SELECT pg_notify('projected_' || $1::text, $2::text || ' ' || $3::text);

-- name: notify_replaced
-- Notify that the live tables were replaced.
SELECT pg_notify('projected_' || $1::text, '');
