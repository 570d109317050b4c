-- Statuses that follow from dates alone.

-- name: newest_acts
-- The day of the newest act of each issuer, as recorded at a position ($1). Accounts of others and
-- statements without an instrument are not acts of the issuer.
SELECT subject.word AS issuer, max(fact.public_on) AS day
FROM facts AS fact JOIN subjects AS subject USING (kind, entity)
WHERE fact.kind IN ('export-control', 'announcement') AND fact.since <= $1::bigint AND fact.until > $1::bigint
  AND fact.type <> ALL ($2::text[])
GROUP BY subject.word

-- name: later_states
-- The states of the controls that change after the newest act of their issuer, in day order: the state on
-- that day, and all later ones.
WITH newest AS MATERIALIZED (
    {newest_acts}
),
changing AS (
    SELECT DISTINCT version.entity, newest.day
    FROM versions AS version JOIN newest ON newest.issuer = version.places ->> 0
    WHERE version.kind = 'export-control' AND version.first_day > newest.day
      AND version.since <= $1::bigint AND version.until > $1::bigint
)
SELECT changing.entity, version.first_day, {whole} AS state
FROM changing CROSS JOIN LATERAL (
    {versions}
) AS version
ORDER BY changing.entity, version.first_day;
