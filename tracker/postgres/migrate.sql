-- name: take_turn
-- Lock migrations: other processes wait.
SELECT pg_advisory_xact_lock(hashtextextended('tables', 0));

-- name: began
-- Whether the database has ever been migrated. (Not by to_regclass: its cache may be older than the
-- lock that this transaction has waited for.)
SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'log' AND tablename = 'migrations');

-- name: writable
-- Whether the database is writable; a standby is not.
SELECT NOT pg_is_in_recovery();

-- name: applied
-- The applied steps of a database.
SELECT number, sha256 FROM log.migrations;

-- name: record
-- Record an applied step.
INSERT INTO log.migrations (number, name, sha256) VALUES ($1, $2, $3);
