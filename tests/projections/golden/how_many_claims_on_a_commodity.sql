-- how many claims on a commodity; written by: python -m tests.projections.golden_sql
SET search_path = projection, public;
SET plan_cache_mode = force_generic_plan;

PREPARE how_many_claims_on_a_commodity AS
SELECT count(*)
FROM (
    SELECT entity FROM subjects
    WHERE kind = $1 AND word = '' AND entity >= ($4::text[])[1] AND entity < ($4::text[])[1] || '~'
      AND since <= $3::bigint AND first_day <= $2::date
) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE entity = subject.entity
      AND generation = (
          SELECT max(generation) FROM versions WHERE entity = subject.entity AND generation <= $3::bigint)
      AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
    ORDER BY first_day DESC, since DESC LIMIT 1
) AS version
CROSS JOIN LATERAL jsonb_to_recordset(coalesce(version.sources, (
    SELECT jsonb_path_query_array(jsonb_agg(element.source), '$[*][*]')
    FROM elements AS element
    WHERE element.entity = version.entity
      AND element.until > version.since AND element.since <= version.since
      AND element.first_day <= version.first_day AND element.last_day >= version.first_day
      AND element.source IS NOT NULL)))
    AS claim (position bigint)
WHERE commodities ?| $5::text[]
  AND claim.position IS NOT NULL;

EXECUTE how_many_claims_on_a_commodity (
    'figure',
    '2025-06-01',
    1000000,
    '{"figure/gallium/"}',
    '{"gallium"}');
