-- All versions of all entities of a kind, as recorded at a position, for complete files.

-- name: versions
-- Rows of a kind ($1) that begin by a position ($2). A version that continues in another generation has a
-- row in each; these rows are adjacent.
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
-- The number of rows of each kind at a position.
SELECT kind, count(*) FROM versions WHERE since <= $1 GROUP BY kind;
