-- Lists read the entities that were ever about a word or ever contained some words, and look up each of
-- them at the moment. The cost depends on their number, not on their history.

-- name: entities_by_word
-- The entities of a kind that were ever about one word by a position and by the last queried day, in the
-- order of their names.
SELECT entity FROM subjects
WHERE kind = $1 AND word = ($4::text[])[1] AND since <= $3::bigint AND first_day <= {last}::date

-- name: entities_by_day
-- The same if few were about it by the day, in no order. The index has the days of a word together; no
-- statement that names kind and word separately can use it.
SELECT entity FROM subjects
WHERE kind || ' ' || word = $1 || ' ' || ($4::text[])[1] AND first_day <= {last}::date
  AND since <= $3::bigint

-- name: entities_by_words
-- The same for several words; these must be sorted, while those of one word are sorted already.
SELECT DISTINCT entity FROM subjects
WHERE kind = $1 AND word = ANY ($4::text[]) AND since <= $3::bigint AND first_day <= {last}::date

-- name: entities_by_name
-- The entities of a kind whose names have a prefix, in the order of the prefixes; nothing in a name sorts
-- after '~'.
SELECT entity FROM subjects
WHERE kind = $1 AND word = '' AND entity >= ($4::text[])[1] AND entity < ($4::text[])[1] || '~'
  AND since <= $3::bigint AND first_day <= {last}::date

-- name: entities_by_names
-- The same for several prefixes.
SELECT found.entity FROM unnest($4::text[]) AS beginning CROSS JOIN LATERAL (
    SELECT entity FROM subjects
    WHERE kind = $1 AND word = '' AND entity >= beginning AND entity < beginning || '~'
      AND since <= $3::bigint AND first_day <= {last}::date
    OFFSET 0) AS found

-- name: said
-- The words of a text, as written and by their stems, as in the index.
(to_tsvector('simple', said) || to_tsvector('english', said))

-- name: sought
-- The condition of a search: all of the words, either as written or by their stems.
(to_tsquery('simple', {search}) || to_tsquery('english', {search}))

-- name: entities_by_text
-- The entities of a kind that ever contained some words, among those that were ever about some.
SELECT DISTINCT entity FROM texts
WHERE kind = $1 AND {said} @@ {sought} AND EXISTS (
    SELECT FROM subjects
    WHERE kind = $1 AND word = ANY ($4::text[]) AND entity = texts.entity
      AND since <= $3::bigint AND first_day <= {last}::date)

-- name: commodities
-- Conditions on versions. A statement has only the requested conditions, and its pages and count share
-- them, which keeps planning and execution cheap.
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
-- Whether each of its facts rests on a text of the issuer that was read,
jsonb_path_exists({sources}, '$[*] ? (@.level > 0)') <> {verified}::boolean

-- name: level
-- or at least on a ground of a level, 0 for the best,
NOT jsonb_path_exists({sources}, '$[*] ? (@.level > $level)', jsonb_build_object('level', {level}::int))

-- name: primary
-- on one that exists,
({sources} @> '[{"is_primary": false}]') <> {primary}::boolean

-- name: checked
-- and whether one of its sources was checked in a given way.
{sources} @> jsonb_build_array(jsonb_build_object('checked', {checked}::text))

-- name: disputed
-- Whether the state has a list of differing accounts; empty lists are not written, and quotation marks in a
-- text are escaped.
(strpos(version.state, '"disputes":[') > 0) = {disputed}::boolean

-- name: clause
-- A control is in the list if one of its clauses matches all conditions on clauses,
EXISTS (
    SELECT FROM jsonb_to_recordset(clauses)
        AS clause (measure text, status text, commodities text[], in_force daterange,
                   suspended daterange)
    WHERE {conditions})

-- name: clause_commodities
-- including its goods;
clause.commodities && {commodities}::text[]

-- name: measure
clause.measure = {measure}::text

-- name: status
clause.status = {status}::text

-- name: in_force
-- a suspension that covers all requested days leaves none in force.
(clause.in_force && {in_force}::daterange
    AND coalesce(NOT clause.in_force * {in_force} <@ clause.suspended, true))

-- name: claim
-- Conditions on the claims in figures: not to be another source of the figure,
claim.position IS NOT NULL

-- name: claim_publishers
-- and the conditions on any source.
claim.publisher = ANY ({publishers}::text[])

-- name: claim_published
claim.published && {published}::daterange

-- name: claim_verified
(claim.level = 0) = {verified}::boolean

-- name: claim_level
claim.level <= {level}::int

-- name: claim_primary
claim.is_primary = {primary}::boolean

-- name: claim_checked
claim.checked = {checked}::text

-- name: by_title
-- Sort keys of a list before the name: the title,
coalesce(title, '')

-- name: by_date
-- the first possible day of announcement or foundation, or, for a figure, of restatement,
coalesce(to_char(lower(dated), 'YYYY-MM-DD'), '') COLLATE "C"

-- name: by_period
-- the year,
coalesce(lpad(period::text, 4, '0'), '') COLLATE "C"

-- name: by_publication
-- and, for claims, the first possible day of publication.
to_char(lower(claim.published), 'YYYY-MM-DD') COLLATE "C"

-- name: claims
-- The claims in the figures of the versions.
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
-- The number of items in a list.
SELECT count(*)
FROM {rows}
WHERE {conditions};
