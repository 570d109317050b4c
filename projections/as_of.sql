-- Lists walk the entities that were ever about a word, and look each of them up at the moment: what
-- that costs follows their number, whatever their history.

-- name: about_one
-- The entities of a kind that were ever about one word, in the order of their names.
SELECT entity FROM subjects WHERE kind = $1 AND word = ($4::text[])[1]

-- name: about_any
-- The same for several words; they have to be sorted, where those of one word come so.
SELECT DISTINCT entity FROM subjects WHERE kind = $1 AND word = ANY ($4::text[])

-- name: about_named
-- Entities by their names.
SELECT entity FROM unnest($1::text[]) AS asked (entity)

-- name: about_all
-- Every entity of some kinds.
SELECT entity FROM subjects WHERE kind = ANY ($1::text[]) AND word = ''

-- name: held
-- The versions of such entities that hold at a moment. OFFSET 0 makes it a look-up an entity: the
-- planner takes every range to hold most moments, and would rather read the history of all.
({about}) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE hashtextextended(entity, 0) = hashtextextended(subject.entity, 0)
      AND entity = subject.entity AND valid @> $2::date AND known @> $3::bigint
    OFFSET 0) AS version

-- name: named
-- The states of some entities.
SELECT version.entity, state FROM {held};

-- name: matching
-- Which of them are in a list; pages and counts have this condition in common. A control is in the
-- list if one of its clauses answers to all that is asked of clauses; one that names no destination
-- is for all of them.
    ($5::text[] IS NULL OR commodities ?| $5)
AND ($6::text[] IS NULL OR places ?| $6)
AND ($7::text[] IS NULL OR publishers ?| $7)
AND ($8::text IS NULL OR category = $8)
AND (coalesce($9::text, $10::text, $11::text) IS NULL OR EXISTS (
        SELECT FROM jsonb_to_recordset(parts)
            AS clause (measure text, status text, commodities text[], destinations text[])
        WHERE ($5 IS NULL OR clause.commodities && $5)
          AND ($9 IS NULL OR clause.measure = $9)
          AND ($10 IS NULL OR clause.destinations = '{}' OR $10 = ANY (clause.destinations))
          AND ($11 IS NULL OR clause.status = $11)))

-- name: page
-- A page of a list, by name, after an entity.
SELECT version.entity, state FROM {held}
WHERE {matching}
  AND subject.entity > coalesce($12::text, '')
ORDER BY subject.entity
LIMIT $13;

-- name: count
-- How many they are.
SELECT count(*) FROM {held}
WHERE {matching};

-- name: claims_page
-- A page of the claims in figures, by figure and position, after one of them.
SELECT version.entity, state, claim.position
FROM {held}, jsonb_to_recordset(parts) AS claim (publisher text, position bigint)
WHERE {matching}
  AND ($7 IS NULL OR claim.publisher = ANY ($7))
  AND subject.entity >= coalesce($12::text, '')
  AND ($12 IS NULL OR (subject.entity, claim.position) > ($12, $13::bigint))
ORDER BY subject.entity, claim.position
LIMIT $14;

-- name: claims_count
-- How many they are.
SELECT count(*)
FROM {held}, jsonb_to_recordset(parts) AS claim (publisher text, position bigint)
WHERE {matching}
  AND ($7 IS NULL OR claim.publisher = ANY ($7));

-- name: state
-- The state of one entity.
SELECT state FROM versions
WHERE hashtextextended(entity, 0) = hashtextextended($1, 0) AND entity = $1
  AND valid @> $2::date AND known @> $3::bigint;

-- name: supplies
-- The output figures of some commodities in a year ($5). Without a year, of every product (stage and
-- form) in the last one for which the world has a figure, or else anybody.
SELECT entity, state FROM (
    SELECT version.entity, state, period, coalesce(
            $5::integer,
            max(period) FILTER (WHERE places ? 'WORLD') OVER same,
            max(period) OVER same) AS wanted
    FROM {held}
    WHERE category = 'production'
    WINDOW same AS (PARTITION BY commodity,
                    regexp_replace(version.entity, '^figure/[^/]+/[^/]+/(.*)/[0-9]+$', '\1'))
) AS figures
WHERE period = wanted
ORDER BY entity;

-- name: history
-- Every version of one entity on both axes, oldest knowledge first.
SELECT valid, known, since.recorded_at, until.recorded_at AS replaced_at, state
FROM versions
JOIN log.events since ON since.position = lower(known)
LEFT JOIN log.events until ON until.position = upper(known)
WHERE hashtextextended(entity, 0) = hashtextextended($1, 0) AND entity = $1
ORDER BY lower(known), lower(valid);

-- name: digest
-- The SHA-256 of the whole state: a JSON line an entity, in the order of their names.
SELECT encode(sha256(convert_to(coalesce(string_agg(
           '{"entity":"' || entity || '","state":' || state || E'}\n', '' ORDER BY entity
       ), ''), 'UTF8')), 'hex')
FROM (SELECT version.entity, state FROM {held}) AS states;

-- name: counts
-- How many entities of each kind have a state.
SELECT version.kind, count(*) FROM {held} GROUP BY version.kind;

-- name: states
-- Every entity's state, in the order of their names.
SELECT version.entity, state FROM {held} ORDER BY version.entity;
