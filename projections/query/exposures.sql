-- Data of exposure apart from controls.

-- name: yearly_output
-- The output figures of some commodities ($4) in a year ($5). Without a year: for every product, the newest
-- year with a world figure, or else with any figure. Their versions are looked up when the year is known.
SELECT version.entity, {whole} AS state FROM {versions}
ORDER BY version.entity;

-- name: yearly_figures
SELECT DISTINCT entity FROM (
    SELECT entity, left(years, 4) AS year, coalesce(
            $5::text,
            max(left(years, 4)) FILTER (WHERE split_part(entity, '/', 3) = 'WORLD') OVER same,
            max(left(years, 4)) OVER same) AS wanted
    FROM {claims} AND split_part(entity, '/', 4) = 'production'
    WINDOW same AS (PARTITION BY split_part(entity, '/', 2), product)
) AS claimed
WHERE year = wanted
