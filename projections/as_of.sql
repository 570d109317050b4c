-- name: resolve_now
-- How far the projection has come: the position of "now".
SELECT position FROM tracking WHERE projection = 'versions';

-- name: state
-- The state of one entity.
SELECT entity, state FROM versions
WHERE entity = $1 AND valid @> $2::date AND known @> $3::bigint;

-- name: states
-- A page of the entities of one kind, by name, after an entity.
SELECT entity, state FROM versions
WHERE kind = $1 AND valid @> $2::date AND known @> $3::bigint
  AND ($4::text[] IS NULL OR commodities && $4)
  AND ($5::text[] IS NULL OR places && $5)
  AND ($6::text[] IS NULL OR publishers && $6)
  AND ($7::text IS NULL OR entity > $7)
ORDER BY entity
LIMIT $8;

-- name: figures
-- The figures of one commodity for one period (null: those that have none, reserves).
SELECT entity, state FROM versions
WHERE kind = 'figure' AND commodity = $1 AND valid @> $3::date AND known @> $4::bigint
  AND CASE WHEN $2::integer IS NULL THEN period IS NULL ELSE period = $2 END
ORDER BY entity;

-- name: history
-- Every version of one entity on both axes, oldest knowledge first.
SELECT valid, known, state FROM versions WHERE entity = $1
ORDER BY lower(known), lower(valid);

-- name: digest
-- The SHA-256 of the whole state: a JSON line an entity, in the order of their names.
SELECT encode(sha256(convert_to(coalesce(string_agg(
           '{"entity":"' || entity || '","state":' || state || E'}\n', '' ORDER BY entity
       ), ''), 'UTF8')), 'hex')
FROM versions WHERE valid @> $1::date AND known @> $2::bigint;
