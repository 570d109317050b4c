-- Every entity is looked up at the moment by its name: what that costs follows their number, whatever
-- their history. Lists of them are in lists.sql.

-- name: about_named
-- Entities by their names.
SELECT entity FROM unnest($1::text[]) AS asked (entity)

-- name: about_all
-- Every entity of some kinds that there was at a position.
SELECT entity FROM subjects WHERE kind = ANY ($1::text[]) AND word = '' AND since <= $3::bigint

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
-- The versions of one entity on both axes, oldest knowledge first: those that hold on one of some days
-- ($2), that the log told at some moment from one to another ($3, $4), since an event of some types ($5).
SELECT valid, known, since.recorded_at, until.recorded_at AS replaced_at, state
FROM versions
JOIN log.events since ON since.position = lower(known)
LEFT JOIN log.events until ON until.position = upper(known)
WHERE hashtextextended(entity, 0) = hashtextextended($1, 0) AND entity = $1
  AND ($2::daterange IS NULL OR valid && $2)
  AND ($3::timestamptz IS NULL OR until.recorded_at IS NULL OR until.recorded_at > $3)
  AND ($4::timestamptz IS NULL OR since.recorded_at <= $4)
  AND ($5::text[] IS NULL OR since.type = ANY ($5))
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
