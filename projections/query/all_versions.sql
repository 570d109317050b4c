-- All versions of all entities of a kind, as they were known at a position: for files that are whole.

-- name: versions
-- Rows of a kind ($1) that begin by a position ($2). A version that goes on in another generation has a
-- row in each: these stand beside each other.
SELECT version.entity, version.first_day, version.last_day, version.since,
       CASE WHEN version.until <= $2 THEN version.until END AS until, first.recorded_at, next.recorded_at AS replaced_at, {whole} AS state
FROM versions AS version
CROSS JOIN LATERAL (
    SELECT recorded_at FROM log.events WHERE position = version.since LIMIT 1
) AS first
LEFT JOIN LATERAL (
    SELECT recorded_at FROM log.events WHERE position = version.until AND version.until <= $2 LIMIT 1
) AS next ON true
WHERE version.kind = $1 AND version.since <= $2
ORDER BY version.entity, version.first_day, version.last_day, version.since;

-- name: rows
-- How many rows there are of each kind by a position.
SELECT kind, count(*) FROM versions WHERE since <= $1 GROUP BY kind;
