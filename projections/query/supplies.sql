-- Products with figures.

-- name: supplies
-- One row per product, followed by one for each unit and basis of its claims, for some commodities and
-- places by name prefixes of their figures ($4), and for a statistic ($5). The words in $6 are not
-- countries.
SELECT commodity, statistic, stage, form, grouping(unit) = 0 AS of_unit, unit, basis,
       coalesce(array_agg(DISTINCT period ORDER BY period) FILTER (WHERE period IS NOT NULL), '{}')
           AS years,
       count(DISTINCT place) FILTER (WHERE place <> ALL ($6::text[])) AS places,
       bool_or(place = 'WORLD') AS has_world_total,
       count(DISTINCT entity) AS figures, count(*) AS claims,
       array_agg(DISTINCT publisher ORDER BY publisher) AS publishers
FROM (
    SELECT version.entity, version.commodity, version.category AS statistic, version.period,
           series.place, series.stage, series.form,
           claim.quantity ->> 'unit' AS unit, claim.quantity ->> 'basis' AS basis,
           claim.source ->> 'publisher' AS publisher
    FROM {versions}
    CROSS JOIN LATERAL json_to_record({whole}::json)
        AS state (series json, claims json)
    CROSS JOIN LATERAL json_to_record(state.series) AS series (place text, stage text, form text)
    CROSS JOIN LATERAL json_to_recordset(state.claims) AS claim (quantity json, source json)
    WHERE $5::text IS NULL OR version.category = $5
) AS claimed
GROUP BY GROUPING SETS (
    (commodity, statistic, stage, form), (commodity, statistic, stage, form, unit, basis))
ORDER BY of_unit, claims DESC, unit, basis NULLS FIRST;
