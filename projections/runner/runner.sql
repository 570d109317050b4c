-- Tracking: how far each projection has come. A rebuild has a row of its own, named after the
-- projection and the attempt, until it takes the place of the live one.

-- name: tracking_exists
-- (Not by to_regclass: its cache may be older than the lock that this transaction has waited for.)
SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'projection' AND tablename = 'tracking');

-- name: create_tracking
CREATE TABLE projection.tracking (
    projection text PRIMARY KEY,
    position   bigint NOT NULL,
    fold       text NOT NULL                 -- the code that made the rows; other code makes others
);

-- name: begin_tracking
-- New tables are at position 0.
INSERT INTO projection.tracking (projection, position, fold) VALUES ($1, 0, $2);

-- name: tracking
-- How far a projection has come, and the code that made its rows.
SELECT position, fold, current_setting('synchronous_standby_names') <> '' AS synchronous
FROM projection.tracking WHERE projection = $1;

-- name: position
-- How far a projection has come.
SELECT position FROM projection.tracking WHERE projection = $1;

-- name: advance
-- It has come this far; every process that answers from it is told (see progress.py).
WITH moved AS (
    UPDATE projection.tracking SET position = $2 WHERE projection = $1 RETURNING position
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
DELETE FROM projection.tracking WHERE starts_with(projection, $1::text || '/');

-- name: hold_rebuild
-- Whether an attempt is still the one that goes on. If so it remains that until this transaction ends,
-- which has so long.
SELECT set_config('transaction_timeout', $2, true) FROM projection.tracking WHERE projection = $1 FOR SHARE;

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
WITH replaced AS (DELETE FROM projection.tracking WHERE projection = $2 RETURNING position, fold)
INSERT INTO projection.tracking AS live (projection, position, fold) SELECT $1, position, fold FROM replaced
ON CONFLICT (projection) DO UPDATE SET position = EXCLUDED.position, fold = EXCLUDED.fold;

-- name: notify_replaced
-- Other tables are the live ones now.
SELECT pg_notify('projected_' || $1::text, '');

-- name: analyze_tables
-- The statement that counts what is in some tables, for the planner.
SELECT format('ANALYZE %s', string_agg(quote_ident(name), ', ')) FROM unnest($1::text[]) AS name;
