-- how many controls by how they were looked at; written by: python -m tests.projections.golden_sql
SET search_path = projection, public;
SET plan_cache_mode = force_generic_plan;

PREPARE how_many_controls_by_how_they_were_looked_at AS
SELECT count(*)
FROM (
    SELECT entity FROM subjects
    WHERE kind = $1 AND word = ($4::text[])[1] AND since <= $3::bigint AND first_day <= $2::date
) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE entity = subject.entity
      AND generation = (
          SELECT max(generation) FROM versions WHERE entity = subject.entity AND generation <= $3::bigint)
      AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
    ORDER BY first_day DESC, since DESC LIMIT 1
) AS version
WHERE (coalesce(version.sources, (
      SELECT jsonb_path_query_array(jsonb_agg(element.source), '$[*][*]')
      FROM elements AS element
      WHERE element.entity = version.entity
        AND element.until > version.since AND element.since <= version.since
        AND element.first_day <= version.first_day AND element.last_day >= version.first_day
        AND element.source IS NOT NULL)) @> '[{"is_primary": false}]') <> $5::boolean
  AND coalesce(version.sources, (
      SELECT jsonb_path_query_array(jsonb_agg(element.source), '$[*][*]')
      FROM elements AS element
      WHERE element.entity = version.entity
        AND element.until > version.since AND element.since <= version.since
        AND element.first_day <= version.first_day AND element.last_day >= version.first_day
        AND element.source IS NOT NULL)) @> jsonb_build_array(jsonb_build_object('checked', $6::text));

EXECUTE how_many_controls_by_how_they_were_looked_at (
    'export-control',
    '2025-06-01',
    1000000,
    '{""}',
    true,
    'page');
