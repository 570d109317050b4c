-- Products with figures.

-- name: supplies
-- The claims on some figures ($4), of a statistic ($5) if given, by series, publisher, unit and basis.
SELECT commodity, place, statistic, product, publisher, unit, basis, array_agg(years) AS years
FROM (
    SELECT split_part(entity, '/', 2) AS commodity, split_part(entity, '/', 3) AS place,
           split_part(entity, '/', 4) AS statistic, product, publishers[1] AS publisher, unit, basis, years
    FROM {claims}
) AS claimed
WHERE $5::text IS NULL OR statistic = $5
GROUP BY commodity, place, statistic, product, publisher, unit, basis;
