-- name: mark
-- Mark a log as that of a demo.
COMMENT ON SCHEMA log IS 'begun by tracker demo';

-- name: mark_mirror
-- Mark a log as a mirror of another.
COMMENT ON SCHEMA log IS 'mirror';

-- name: marked
-- The mark of a log, if any.
SELECT obj_description('log'::regnamespace, 'pg_namespace');
