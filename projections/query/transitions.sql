-- What happens to entities on days.

-- name: with_transitions
-- Entities of some kinds ($4) that may turn between two days ($1, $2), from what is known at a position
-- ($3). One of which no row begins between them has no fact that becomes public then; where the first
-- of them is not after the day on which it was known, what was known then and what the rows tell are
-- the same for all of them.
WITH begun AS MATERIALIZED (
    SELECT entity, kind, since, until FROM versions
    WHERE kind = ANY ($4::text[]) AND first_day > $1::date AND first_day <= $2::date
)
SELECT DISTINCT entity FROM begun
WHERE since <= $3::bigint AND {still}
  AND {about}

-- name: still_known
-- What is told at the position; else also those that may only once have turned then, by what was told before.
until > $3::bigint

-- name: about_words
-- Those that were ever about some words ($5), figures of commodities among these, and firms, which
-- are few.
(kind = 'firm'
    OR (kind = 'figure' AND split_part(entity, '/', 2) = ANY ($5::text[]))
    OR EXISTS (
        SELECT FROM subjects
        WHERE word = ANY ($5) AND kind = begun.kind AND entity = begun.entity
          AND since <= $3::bigint))
