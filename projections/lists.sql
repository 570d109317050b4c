-- Lists walk the entities that were ever about a word, or ever said some, and look each of them up at
-- the moment: what that costs follows their number, whatever their history.

-- name: about_one
-- The entities of a kind that were ever about one word by a position, in the order of their names.
SELECT entity FROM subjects WHERE kind = $1 AND word = ($4::text[])[1] AND since <= $3::bigint

-- name: about_any
-- The same for several words; they have to be sorted, where those of one word come so.
SELECT DISTINCT entity FROM subjects
WHERE kind = $1 AND word = ANY ($4::text[]) AND since <= $3::bigint

-- name: said
-- The words of a text, as they are written and by their stems; as the index has them.
(to_tsvector('simple', said) || to_tsvector('english', said))

-- name: sought
-- What a search asks for: all of the words, as they are written or all by their stems.
(to_tsquery('simple', $17) || to_tsquery('english', $17))

-- name: about_text
-- The entities of a kind that ever said some words, of those that were ever about some.
SELECT DISTINCT entity FROM texts
WHERE kind = $1 AND {said} @@ {sought} AND EXISTS (
    SELECT FROM subjects
    WHERE kind = $1 AND word = ANY ($4::text[]) AND entity = texts.entity AND since <= $3::bigint)

-- name: matching
-- Which of them are in a list; pages and counts have this condition in common. A control is in the
-- list if one of its clauses answers to all that is asked of clauses; one that names no destination
-- is for all of them. A suspension that takes up all the days that are asked for leaves none in force.
    ($5::text[] IS NULL OR commodities ?| $5)
AND ($6::text[] IS NULL OR places ?| $6)
AND ($7::text[] IS NULL OR EXISTS (
        SELECT FROM jsonb_to_recordset(sources) AS source (publisher text)
        WHERE source.publisher = ANY ($7)))
AND ($8::text IS NULL OR category = $8)
AND ($13::daterange IS NULL OR version.dated && $13)
AND ($14::daterange IS NULL OR EXISTS (
        SELECT FROM jsonb_to_recordset(sources) AS source (published daterange)
        WHERE source.published && $14))
AND ($15::int4range IS NULL OR version.period <@ $15)
AND ($16::text IS NULL OR split_part(version.entity, '/', 5) = $16)
AND ($17::text IS NULL OR {said} @@ {sought})
AND (coalesce($9::text, $10::text, $11::text, $12::daterange::text) IS NULL OR EXISTS (
        SELECT FROM jsonb_to_recordset(clauses)
            AS clause (measure text, status text, commodities text[], destinations text[],
                       in_force daterange, suspended daterange)
        WHERE ($5 IS NULL OR clause.commodities && $5)
          AND ($9 IS NULL OR clause.measure = $9)
          AND ($10 IS NULL OR clause.destinations = '{}' OR $10 = ANY (clause.destinations))
          AND ($11 IS NULL OR clause.status = $11)
          AND ($12 IS NULL OR clause.in_force && $12
                AND coalesce(NOT clause.in_force * $12 <@ clause.suspended, true))))

-- name: by_title
-- What a list may be ordered by before the name: the title,
coalesce(title, '')

-- name: by_date
-- the first day on which it may have been announced, founded or made, or, of a figure, restated,
coalesce(to_char(lower(dated), 'YYYY-MM-DD'), '') COLLATE "C"

-- name: by_period
-- the year,
coalesce(lpad(period::text, 4, '0'), '') COLLATE "C"

-- name: by_publication
-- and, for claims, the first day on which one may have been published.
to_char(lower(claim.published), 'YYYY-MM-DD') COLLATE "C"

-- name: verified
-- Whether somebody looked at all of its sources.
NOT sources @> '[{"verified": false}]'

-- name: page
-- A page of a list, in an order and between bounds.
SELECT version.entity, state, {key} AS key FROM {held}
WHERE {matching}
  AND ($18::boolean IS NULL OR {verified} = $18)
  {bounds}
ORDER BY {order}
LIMIT $19;

-- name: count
-- How many they are.
SELECT count(*) FROM {held}
WHERE {matching}
  AND ($18::boolean IS NULL OR {verified} = $18);

-- name: matching_claims
-- Which claims of a figure are in a list.
    claim.position IS NOT NULL
AND ($7 IS NULL OR claim.publisher = ANY ($7))
AND ($14 IS NULL OR claim.published && $14)
AND ($18::boolean IS NULL OR claim.verified = $18)

-- name: claims_page
-- A page of the claims in figures, in an order and between bounds.
SELECT version.entity, state, claim.position, {key} AS key
FROM {held}, jsonb_to_recordset(sources)
    AS claim (publisher text, position bigint, published daterange, verified boolean)
WHERE {matching} AND {matching_claims}
  {bounds}
ORDER BY {order}
LIMIT $19;

-- name: claims_count
-- How many they are.
SELECT count(*)
FROM {held}, jsonb_to_recordset(sources)
    AS claim (publisher text, position bigint, published daterange, verified boolean)
WHERE {matching} AND {matching_claims};
