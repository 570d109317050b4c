-- Lists walk the entities that were ever about a word, or ever said some, and look each of them up at
-- the moment: what that costs follows their number, whatever their history.

-- name: entities_by_word
-- The entities of a kind that were ever about one word by a position and by the last day that is asked
-- for, in the order of their names.
SELECT entity FROM subjects
WHERE kind = $1 AND word = ($4::text[])[1] AND since <= $3::bigint AND first_day <= {last}::date

-- name: entities_by_day
-- The same where few were about it by the day, in no order: by an index that has the days of a word
-- together, and that no statement can take which names kind and word apart.
SELECT entity FROM subjects
WHERE kind || ' ' || word = $1 || ' ' || ($4::text[])[1] AND first_day <= {last}::date
  AND since <= $3::bigint

-- name: entities_by_words
-- The same for several words; they have to be sorted, where those of one word come so.
SELECT DISTINCT entity FROM subjects
WHERE kind = $1 AND word = ANY ($4::text[]) AND since <= $3::bigint AND first_day <= {last}::date

-- name: entities_by_name
-- The entities of a kind whose names begin in some way, in the order of these; nothing in a name comes
-- behind '~'.
SELECT entity FROM subjects
WHERE kind = $1 AND word = '' AND entity >= ($4::text[])[1] AND entity < ($4::text[])[1] || '~'
  AND since <= $3::bigint AND first_day <= {last}::date

-- name: entities_by_names
-- The same for several beginnings.
SELECT found.entity FROM unnest($4::text[]) AS beginning CROSS JOIN LATERAL (
    SELECT entity FROM subjects
    WHERE kind = $1 AND word = '' AND entity >= beginning AND entity < beginning || '~'
      AND since <= $3::bigint AND first_day <= {last}::date
    OFFSET 0) AS found

-- name: said
-- The words of a text, as they are written and by their stems; as the index has them.
(to_tsvector('simple', said) || to_tsvector('english', said))

-- name: sought
-- What a search asks for: all of the words, as they are written or all by their stems.
(to_tsquery('simple', {search}) || to_tsquery('english', {search}))

-- name: entities_by_text
-- The entities of a kind that ever said some words, of those that were ever about some.
SELECT DISTINCT entity FROM texts
WHERE kind = $1 AND {said} @@ {sought} AND EXISTS (
    SELECT FROM subjects
    WHERE kind = $1 AND word = ANY ($4::text[]) AND entity = texts.entity
      AND since <= $3::bigint AND first_day <= {last}::date)

-- name: commodities
-- What is asked of versions. A list has the conditions that it is asked for and no others, and its
-- pages and its count have them in common: what is not there need not be planned, nor looked at.
commodities ?| {commodities}::text[]

-- name: places
places ?| {places}::text[]

-- name: publishers
EXISTS (
    SELECT FROM jsonb_to_recordset({sources})
        AS source (publisher text)
    WHERE source.publisher = ANY ({publishers}::text[]))

-- name: category
category = {category}::text

-- name: dated
version.dated && {dated}::daterange

-- name: published
EXISTS (
    SELECT FROM jsonb_to_recordset({sources})
        AS source (published daterange)
    WHERE source.published && {published}::daterange)

-- name: period
version.period <@ {period}::int4range

-- name: stage
split_part(version.entity, '/', 5) = {stage}::text

-- name: search
{said} @@ {sought}

-- name: verified
-- Whether each of its facts rests on a text of the issuer that somebody has read,
({sources} @> '[{"verified": false}]') <> {verified}::boolean

-- name: primary
-- on one that somebody knows of,
({sources} @> '[{"is_primary": false}]') <> {primary}::boolean

-- name: checked
-- and whether one of its sources was checked in some way.
{sources} @> jsonb_build_array(jsonb_build_object('checked', {checked}::text))

-- name: clause
-- A control is in the list if one of its clauses answers to all that is asked of clauses,
EXISTS (
    SELECT FROM jsonb_to_recordset(clauses)
        AS clause (measure text, status text, commodities text[], in_force daterange,
                   suspended daterange)
    WHERE {conditions})

-- name: clause_commodities
-- its goods too;
clause.commodities && {commodities}::text[]

-- name: measure
clause.measure = {measure}::text

-- name: status
clause.status = {status}::text

-- name: in_force
-- a suspension that takes up all the days that are asked for leaves none in force.
(clause.in_force && {in_force}::daterange
    AND coalesce(NOT clause.in_force * {in_force} <@ clause.suspended, true))

-- name: claim
-- What is asked of the claims in figures: not to be another source of the figure,
claim.position IS NOT NULL

-- name: claim_publishers
-- and what any source can be asked.
claim.publisher = ANY ({publishers}::text[])

-- name: claim_published
claim.published && {published}::daterange

-- name: claim_verified
claim.verified = {verified}::boolean

-- name: claim_primary
claim.is_primary = {primary}::boolean

-- name: claim_checked
claim.checked = {checked}::text

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

-- name: claims
-- The claims in the figures that versions are.
{versions}
CROSS JOIN LATERAL jsonb_to_recordset({sources})
    AS claim ({columns})

-- name: page
-- A page of a list, in an order.
SELECT
    {columns}
FROM {rows}
WHERE {conditions}
ORDER BY {order}
LIMIT {limit};

-- name: series
-- A whole list on all days of a series.
SELECT
    {columns}
FROM {rows}
WHERE {conditions}
ORDER BY {order};

-- name: count
-- How many there are in a list.
SELECT count(*)
FROM {rows}
WHERE {conditions};
