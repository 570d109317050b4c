-- name: mark
-- Mark a log as that of a demo.
COMMENT ON SCHEMA log IS 'begun by tracker demo';

-- name: marked
-- Whether a log is marked as that of a demo.
SELECT obj_description('log'::regnamespace, 'pg_namespace') IS NOT NULL;
