-- What exposure is made of beside controls.

-- name: yearly_output
-- The output figures of some commodities in a year ($5). Without a year, of every product (stage and
-- form) in the last one for which the world has a figure, or else anybody.
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
