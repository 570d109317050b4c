-- name: backend
SELECT pg_backend_pid();

-- name: trial
SELECT $1::text;

-- name: forget_standbys
-- A notification is a commit; this one may be lost.
SET LOCAL synchronous_commit = off;

-- name: notify
SELECT pg_notify($1, $2);
