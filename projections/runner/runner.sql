-- Tracking: how far each projection has come. A rebuild has a row of its own, named after the
-- projection and the attempt, until it takes the place of the live one.

-- name: tracking_exists
-- (Not by to_regclass: its cache may be older than the lock that this transaction has waited for.)
SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'projection' AND tablename = 'progress');

-- name: create_tracking
-- Not under its earlier name `tracking`: see `refuse_older_releases`.
CREATE TABLE projection.progress (
    projection text PRIMARY KEY,
    position   bigint NOT NULL,
    fold       text NOT NULL,                -- the code that made the rows; other code makes others
    release    text NOT NULL                 -- the version of that code, for people and to order releases by
);

-- name: live_tables_exist
-- Whether some tables are there, as those of a release that tracked them elsewhere.
SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'projection' AND tablename = ANY($1));

-- name: begin_tracking
-- New tables are at position 0.
INSERT INTO projection.progress (projection, position, fold, release) VALUES ($1, 0, $2, $3);

-- name: tracking
-- How far a projection has come, and the code that made its rows.
SELECT position, fold, release, current_setting('synchronous_standby_names') <> '' AS synchronous
FROM projection.progress WHERE projection = $1;

-- name: position
-- How far a projection has come.
SELECT position FROM projection.progress WHERE projection = $1;

-- name: advance
-- It has come this far; every process that answers from it is told (see progress.py).
WITH moved AS (
    UPDATE projection.progress SET position = $2 WHERE projection = $1 RETURNING position
)
SELECT pg_notify('projected_' || $1::text, position::text) FROM moved;

-- name: lock_creation
-- One process at a time creates tables.
SELECT pg_advisory_xact_lock(hashtextextended('tables', 0));

-- name: take_turn
-- One projector of a projection at a time: a process that does not get the lock leaves the work to the
-- one that has it, and the one that gets it has so long for its transaction.
SELECT pg_try_advisory_xact_lock(hashtextextended('projector/' || $1::text, 0)),
       set_config('transaction_timeout', $2, true);

-- name: wait_turn
-- The same, waiting for it.
SELECT pg_advisory_xact_lock(hashtextextended('projector/' || $1::text, 0));

-- name: take_rebuild
-- One rebuild of a projection at a time, others wait. The lock is the session's: it is lost by a process
-- that stops saying that it is still there.
SELECT pg_advisory_lock(hashtextextended('rebuild/' || $1::text, 0)),
       set_config('idle_session_timeout', $2, false);

-- name: end_rebuilds
-- Attempts before this one, whose processes have died or lost their turn, are over. This waits for what
-- they are still writing.
DELETE FROM projection.progress WHERE starts_with(projection, $1::text || '/');

-- name: end_older_rebuilds
-- The same of releases that tracked elsewhere.
DELETE FROM projection.tracking WHERE starts_with(projection, $1::text || '/');

-- name: hold_rebuild
-- Whether an attempt is still the one that goes on. If so it remains that until this transaction ends,
-- which has so long.
SELECT set_config('transaction_timeout', $2, true) FROM projection.progress WHERE projection = $1 FOR SHARE;

-- name: limit_lock_wait
-- A session that waits for a table makes others wait behind it.
SET LOCAL lock_timeout = '1s';

-- name: drop_next_tables
-- The statement that drops what an earlier attempt to rebuild has left of some tables.
SELECT format('DROP TABLE IF EXISTS %s', string_agg(format('projection_next.%I', name), ', '))
FROM unnest($1::text[]) AS name;

-- name: replace_live_tables
-- The statements that put the tables of a rebuild in place of the live ones, locking them in the order
-- in which queries do.
SELECT format('DROP TABLE IF EXISTS %s; ', string_agg(format('projection.%I', name), ', ' ORDER BY place))
       || string_agg(format('ALTER TABLE projection_next.%I SET SCHEMA projection', name), '; ' ORDER BY place)
FROM unnest($1::text[]) WITH ORDINALITY AS tables (name, place);

-- name: replace_tracking
-- The tracking of a rebuild becomes that of the projection.
WITH replaced AS (DELETE FROM projection.progress WHERE projection = $2 RETURNING position, fold, release)
INSERT INTO projection.progress AS live (projection, position, fold, release)
SELECT $1, position, fold, release FROM replaced
ON CONFLICT (projection) DO UPDATE SET position = EXCLUDED.position, fold = EXCLUDED.fold, release = EXCLUDED.release;

-- name: older_tracking_exists
-- Whether an older release has tracked here, and may still be at it.
SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'projection' AND tablename = 'tracking');

-- name: refuse_older_releases
-- Servers of releases that do not compare the fold take no more turns, and are not ready: all that they
-- ask of their tracking fails (migration 18).
DROP TABLE projection.tracking;
CREATE VIEW projection.tracking AS SELECT * FROM log.refuse_older_release();

-- name: notify_replaced
-- Other tables are the live ones now.
SELECT pg_notify('projected_' || $1::text, '');

-- name: analyze_tables
-- The statement that counts what is in some tables, for the planner.
SELECT format('ANALYZE %s', string_agg(quote_ident(name), ', ')) FROM unnest($1::text[]) AS name;
