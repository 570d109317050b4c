-- Changes of entities on days.

-- name: with_transitions
-- Entities of some kinds ($4) that may change between two days ($1, $2), as recorded at a position ($3).
-- An entity without a row that begins between the days has no fact that becomes public in that time. If
-- the first day is not after the recording day, the known facts and the rows agree for all of them.
WITH begun AS MATERIALIZED (
    SELECT entity, kind, since, until FROM versions
    WHERE kind = ANY ($4::text[]) AND first_day > $1::date AND first_day <= $2::date
)
SELECT DISTINCT entity FROM begun
WHERE since <= $3::bigint AND {still}
  AND {about}

-- name: still_known
-- Changes announced at the position; otherwise also changes that were only announced earlier.
until > $3::bigint

-- name: about_words
-- Entities that were ever about some words ($5), with figures of commodities, and all firms, which are
-- few.
(kind = 'firm'
    OR (kind = 'figure' AND split_part(entity, '/', 2) = ANY ($5::text[]))
    OR EXISTS (
        SELECT FROM subjects
        WHERE word = ANY ($5) AND kind = begun.kind AND entity = begun.entity
          AND since <= $3::bigint))
