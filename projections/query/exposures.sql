-- Data of exposure apart from controls.

-- name: yearly_output
-- The output figures of some commodities in a year ($5). Without a year: for every product (stage and
-- form), the newest year with a world figure, or else with any figure.
SELECT entity, {whole} AS state FROM (
    SELECT version.entity, first_day, version.since, state, period, coalesce(
            $5::integer,
            max(period) FILTER (WHERE places ? 'WORLD') OVER same,
            max(period) OVER same) AS wanted
    FROM {versions}
    WHERE category = 'production'
    WINDOW same AS (PARTITION BY commodity,
                    regexp_replace(version.entity, '^figure/[^/]+/[^/]+/(.*)/[0-9]+$', '\1'))
) AS version
WHERE period = wanted
ORDER BY entity;
