-- name: visible
-- The scenarios that a caller may read, by key: all public ones, and its own.
SELECT key, title, owner, private, base, commands, revision, created_at, changed_at FROM review.scenarios
WHERE NOT private OR owner = $1
ORDER BY key;

-- name: one
-- A scenario that a caller may read.
SELECT key, title, owner, private, base, commands, revision, created_at, changed_at FROM review.scenarios
WHERE key = $1 AND (NOT private OR owner = $2);

-- name: take_turn
-- One transaction at a time counts and adds scenarios.
SELECT pg_advisory_xact_lock(hashtextextended('review.scenarios', 0));

-- name: counts
-- The number of scenarios, and of those of an owner.
SELECT count(*) AS total, count(*) FILTER (WHERE owner = $1) AS owned FROM review.scenarios;

-- name: add
INSERT INTO review.scenarios (key, owner, title, private, base, commands) VALUES ($1, $2, $3, $4, $5, $6);

-- name: edit
UPDATE review.scenarios SET title = $3, private = $4, base = $5, commands = $6, revision = revision + 1,
                            changed_at = clock_timestamp()
WHERE key = $1 AND owner = $2;

-- name: delete
DELETE FROM review.scenarios WHERE key = $1 AND owner = $2;
