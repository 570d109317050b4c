-- name: changed
-- Entities whose state at one moment (day $1, position $2) differs from that at a later one ($3, $4).
--
-- Only entities that may differ are read. The rows of an entity follow from its own events alone. Without
-- an event between the positions it has the same rows at both, so its state differs only if a row begins
-- between the days. All other candidates have an event between the positions. Comparing the states removes
-- changes that were reversed.
begun AS MATERIALIZED (  -- by its own index; planned as one, the positions might be looked up first
    SELECT entity, since, until FROM versions
    WHERE kind = ANY ($5::text[]) AND first_day > $1::date AND first_day <= $3::date
),
touched (entity) AS (
    SELECT stream FROM log.events WHERE position > $2::bigint AND position <= $4::bigint
    UNION
    SELECT entity FROM begun WHERE since <= $4::bigint AND until > $4::bigint
),
changed AS (
    SELECT touched.entity, {state_before} AS before, {state_after} AS after,
           coalesce(to_char(after.first_day, 'YYYY-MM-DD'), '') COLLATE "C" AS held_from
    FROM touched
    LEFT JOIN LATERAL ({before}) AS before ON true
    LEFT JOIN LATERAL ({after}) AS after ON true
    WHERE before.state IS DISTINCT FROM after.state
      AND coalesce(after.kind, before.kind) = ANY ($5)
      AND ($6::text[] IS NULL OR before.commodities ?| $6 OR after.commodities ?| $6
           OR (coalesce(after.kind, before.kind) = 'export-control'  -- those above may reach them
               AND (before.commodities ?| $9::text[] OR after.commodities ?| $9)))
      AND ($7::text[] IS NULL OR before.places ?| $7 OR after.places ?| $7)
      AND ($8::text[] IS NULL OR EXISTS (
              SELECT FROM jsonb_to_recordset(coalesce({sources_before}, '[]') || coalesce({sources_after}, '[]'))
                  AS source (publisher text)
              WHERE source.publisher = ANY ($8)))
)

-- name: page
-- A page of the changes, by name or by the day from which the later state has held, between bounds.
WITH {changed}
SELECT entity, before, after, held_from FROM changed
WHERE {conditions}
ORDER BY {order}
LIMIT $10;

-- name: count
-- The number of changes.
WITH {changed}
SELECT count(*) FROM changed;
