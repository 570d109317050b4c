-- name: take_turn
-- One process migrates, others wait.
SELECT pg_advisory_xact_lock(hashtextextended('tables', 0));

-- name: began
-- Whether the database has ever been migrated. (Not by to_regclass: its cache may be older than the
-- lock that this transaction has waited for.)
SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'log' AND tablename = 'migrations');

-- name: applied
-- The steps that a database has.
SELECT number, sha256 FROM log.migrations;

-- name: record
-- A step is done.
INSERT INTO log.migrations (number, name, sha256) VALUES ($1, $2, $3);
