-- name: state
-- The state of one entity.
SELECT entity, state FROM versions
WHERE entity = $1 AND valid @> $2::date AND known @> $3::bigint;

-- name: named
-- The states of some entities.
SELECT entity, state FROM unnest($1::text[]) AS asked (entity) JOIN versions USING (entity)
WHERE valid @> $2::date AND known @> $3::bigint;

-- name: matching
-- Which entities of a kind a list holds; pages and counts have this condition in common. A control
-- is in the list if one of its clauses answers to all that is asked of clauses; one that names no
-- destination is for all of them.
    kind = $1 AND valid @> $2::date AND known @> $3::bigint
AND ($4::text[] IS NULL OR commodities && $4)
AND ($5::text[] IS NULL OR places && $5)
AND ($6::text[] IS NULL OR publishers && $6)
AND ($7::text IS NULL OR category = $7)
AND (coalesce($8::text, $9::text, $10::text) IS NULL OR EXISTS (
        SELECT FROM jsonb_to_recordset(parts)
            AS clause (measure text, status text, commodities text[], destinations text[])
        WHERE ($4 IS NULL OR clause.commodities && $4)
          AND ($8 IS NULL OR clause.measure = $8)
          AND ($9 IS NULL OR clause.destinations = '{}' OR $9 = ANY (clause.destinations))
          AND ($10 IS NULL OR clause.status = $10)))

-- name: page
-- A page of them, by name, after an entity.
SELECT entity, state FROM versions
WHERE {matching}
  AND ($11::text IS NULL OR entity > $11)
ORDER BY entity
LIMIT $12;

-- name: count
-- How many they are.
SELECT count(*) FROM versions
WHERE {matching};

-- name: claims_page
-- A page of the claims in figures, by figure and position, after one of them.
SELECT entity, state, claim.position
FROM versions, jsonb_to_recordset(parts) AS claim (publisher text, position bigint)
WHERE {matching}
  AND ($6 IS NULL OR claim.publisher = ANY ($6))
  AND ($11::text IS NULL OR (entity, claim.position) > ($11, $12::bigint))
ORDER BY entity, claim.position
LIMIT $13;

-- name: claims_count
-- How many they are.
SELECT count(*)
FROM versions, jsonb_to_recordset(parts) AS claim (publisher text, position bigint)
WHERE {matching}
  AND ($6 IS NULL OR claim.publisher = ANY ($6));

-- name: figures
-- The figures of one commodity for one period (null: those that have none, reserves).
SELECT entity, state FROM versions
WHERE kind = 'figure' AND commodity = $1 AND valid @> $3::date AND known @> $4::bigint
  AND CASE WHEN $2::integer IS NULL THEN period IS NULL ELSE period = $2 END
ORDER BY entity;

-- name: supplies
-- The output figures of commodities in a year. Without a year, of every product (stage and form) in
-- the last one for which the world has a figure, or else anybody.
SELECT entity, state FROM (
    SELECT entity, state, period, coalesce(
            $2::integer,
            max(period) FILTER (WHERE 'WORLD' = ANY (places)) OVER same,
            max(period) OVER same) AS wanted
    FROM unnest($1::text[]) AS asked (commodity) JOIN versions USING (commodity)
    WHERE kind = 'figure' AND category = 'production'
      AND valid @> $3::date AND known @> $4::bigint
    WINDOW same AS (PARTITION BY commodity,
                    regexp_replace(entity, '^figure/[^/]+/[^/]+/(.*)/[0-9]+$', '\1'))
) AS figures
WHERE period = wanted
ORDER BY entity;

-- name: history
-- Every version of one entity on both axes, oldest knowledge first.
SELECT valid, known, since.recorded_at, until.recorded_at AS replaced_at, state
FROM versions
JOIN log.events since ON since.position = lower(known)
LEFT JOIN log.events until ON until.position = upper(known)
WHERE entity = $1
ORDER BY lower(known), lower(valid);

-- name: digest
-- The SHA-256 of the whole state: a JSON line an entity, in the order of their names.
SELECT encode(sha256(convert_to(coalesce(string_agg(
           '{"entity":"' || entity || '","state":' || state || E'}\n', '' ORDER BY entity
       ), ''), 'UTF8')), 'hex')
FROM versions WHERE valid @> $1::date AND known @> $2::bigint;

-- name: counts
-- How many entities of each kind have a state.
SELECT kind, count(*) FROM versions WHERE valid @> $1::date AND known @> $2::bigint
GROUP BY kind;

-- name: states
-- Every entity's state, in the order of their names.
SELECT entity, state FROM versions WHERE valid @> $1::date AND known @> $2::bigint
ORDER BY entity;
