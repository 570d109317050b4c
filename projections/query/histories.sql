-- The versions of an entity on both time axes.

-- name: state_size
-- Bytes of the whole state.
CASE WHEN ascii(state) <> 2 THEN octet_length(state) ELSE split_part(state, E'\x02', 2)::bigint END

-- name: history
-- A span of the versions of one entity on both time axes, oldest knowledge first or, from the end, newest
-- first. Generations follow each other, so only those in the span are read. States are returned while
-- those before them on the page take at most $7 bytes.
SELECT first_day, last_day, since, until, recorded_at, replaced_at, CASE
           WHEN row_number() OVER page = 1 OR sum({size}) OVER page <= $7 THEN {whole}
       END AS state
FROM (
    SELECT entity, first_day, last_day, since, generation, next.position AS until, first.recorded_at,
           next.recorded_at AS replaced_at, state
    FROM {versions}
      {bounds}
    ORDER BY generation {way}, since {way}, first_day {way}
    LIMIT $6
) AS version
WINDOW page AS (ORDER BY generation {way}, since {way}, first_day {way} ROWS UNBOUNDED PRECEDING)
ORDER BY generation {way}, since {way}, first_day {way};

-- name: history_count
-- The number of versions of an entity that were known by a position ($6), or at all.
SELECT count(*) FROM {versions}
  AND ($6::bigint IS NULL OR version.since <= $6);

-- name: history_versions
-- The versions of one entity that hold on one of some days ($2), were recorded in a time range ($3, $4),
-- and begin with an event of some types ($5). A row that continues in another generation is the same
-- version: it counts where it begins, and lasts as long as its last copy.
versions AS version
CROSS JOIN LATERAL (
    WITH RECURSIVE copies AS (
        SELECT version.until
        UNION ALL
        SELECT copy.until FROM copies
        JOIN versions AS copy
          ON copy.entity = $1 AND copy.generation = copies.until AND copy.since = copies.until
         AND copy.first_day = version.first_day AND copy.last_day = version.last_day
         AND copy.state = version.state
    )
    SELECT max(copies.until) AS position FROM copies
) AS ended
CROSS JOIN LATERAL (SELECT * FROM log.events WHERE position = version.since LIMIT 1) AS first
LEFT JOIN LATERAL (SELECT * FROM log.events WHERE position = ended.position LIMIT 1) AS next ON true
WHERE version.entity = $1
  AND NOT (version.since = version.generation AND EXISTS (
      SELECT FROM versions AS earlier
      WHERE earlier.entity = $1 AND earlier.generation = (
              SELECT max(generation) FROM versions
              WHERE entity = $1 AND generation < version.generation)
        AND earlier.first_day = version.first_day AND earlier.last_day = version.last_day
        AND earlier.until = version.since AND earlier.state = version.state))
  AND ($2::daterange IS NULL OR daterange(version.first_day, version.last_day, '[]') && $2)
  AND ($3::timestamptz IS NULL OR next.recorded_at IS NULL OR next.recorded_at > $3)
  AND ($4::timestamptz IS NULL OR first.recorded_at <= $4)
  AND ($5::text[] IS NULL OR first.type = ANY ($5))

-- name: history_after
-- A version after or at another one begins in its generation at the earliest.
AND (version.since, version.first_day) {sign} ({since}::bigint, {day}::date)
  AND version.generation >= (
      SELECT coalesce(max(generation), 0) FROM versions
      WHERE entity = $1 AND generation <= {since}::bigint)

-- name: history_before
AND (version.since, version.first_day) {sign} ({since}::bigint, {day}::date)
  AND version.generation <= {since}::bigint
