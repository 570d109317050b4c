-- how many figures on an early day; written by: python -m tests.projections.golden_sql
SET search_path = projection, public;
SET plan_cache_mode = force_generic_plan;

PREPARE how_many_figures_on_an_early_day AS
SELECT count(*)
FROM (
    SELECT entity FROM subjects
    WHERE kind || ' ' || word = $1 || ' ' || ($4::text[])[1] AND first_day <= $2::date
      AND since <= $3::bigint
) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE entity = subject.entity
      AND generation = (
          SELECT max(generation) FROM versions WHERE entity = subject.entity AND generation <= $3::bigint)
      AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
    ORDER BY first_day DESC, since DESC LIMIT 1
) AS version
WHERE true;

EXECUTE how_many_figures_on_an_early_day (
    'figure',
    '2025-06-01',
    1000000,
    '{"usgs"}');
