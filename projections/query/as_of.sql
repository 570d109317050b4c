-- Queries about a moment. Lists are in lists.sql.

-- name: entities_named
-- Entities by their names.
SELECT entity FROM unnest($1::text[]) AS asked (entity)

-- name: every_entity
-- Every entity of some kinds that existed by a day and a position.
SELECT entity FROM subjects
WHERE kind = ANY ($1::text[]) AND word = '' AND since <= $3::bigint AND first_day <= $2::date

-- name: named
-- The states of some entities.
SELECT version.entity, {whole} AS state FROM {versions};

-- name: state
-- The state of one entity.
SELECT {whole} AS state FROM ({version}) AS version;

-- name: states_in
-- The states of one entity on some days, each with the days on which it holds.
SELECT first_day, last_day, {whole} AS state FROM ({versions}) AS version;

-- name: counts
-- The number of entities of each kind with a state.
SELECT version.kind, count(*) FROM {versions} GROUP BY version.kind;

-- name: states
-- The state of every entity, in the order of their names.
SELECT version.entity, {whole} AS state FROM {versions} ORDER BY version.entity;
