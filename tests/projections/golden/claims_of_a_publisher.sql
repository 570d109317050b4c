-- claims of a publisher; written by: python -m tests.projections.golden_sql
SET search_path = projection, public;
SET plan_cache_mode = force_generic_plan;

PREPARE claims_of_a_publisher AS
SELECT
    version.first_day, version.since, version.entity,
    claim.position,
    CASE WHEN ascii(version.state) <> 2 THEN version.state ELSE (
        SELECT split_part(version.state, E'\x02', 4)
               || string_agg(element.text, ',' ORDER BY element.place) FILTER (WHERE element.list = 1)
               || split_part(version.state, E'\x02', 5)
               || coalesce(string_agg(element.text, ',' ORDER BY element.place)
                           FILTER (WHERE element.list = 2), '')
               || split_part(version.state, E'\x02', 6)
        FROM elements AS element
        WHERE element.entity = version.entity
          AND element.until > version.since AND element.since <= version.since
          AND element.first_day <= version.first_day AND element.last_day >= version.first_day) END AS state
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
CROSS JOIN LATERAL jsonb_to_recordset(coalesce(version.sources, (
    SELECT jsonb_path_query_array(jsonb_agg(element.source), '$[*][*]')
    FROM elements AS element
    WHERE element.entity = version.entity
      AND element.until > version.since AND element.since <= version.since
      AND element.first_day <= version.first_day AND element.last_day >= version.first_day
      AND element.source IS NOT NULL)))
    AS claim (position bigint, publisher text)
WHERE EXISTS (
      SELECT FROM jsonb_to_recordset(coalesce(version.sources, (
          SELECT jsonb_path_query_array(jsonb_agg(element.source), '$[*][*]')
          FROM elements AS element
          WHERE element.entity = version.entity
            AND element.until > version.since AND element.since <= version.since
            AND element.first_day <= version.first_day AND element.last_day >= version.first_day
            AND element.source IS NOT NULL)))
          AS source (publisher text)
      WHERE source.publisher = ANY ($5::text[]))
  AND claim.position IS NOT NULL
  AND claim.publisher = ANY ($5::text[])
  AND subject.entity >= $7::text
  AND (subject.entity, claim.position) > ($7::text, $8::bigint)
ORDER BY subject.entity ASC, claim.position ASC
LIMIT $6;

EXECUTE claims_of_a_publisher (
    'figure',
    '2025-06-01',
    1000000,
    '{"usgs"}',
    '{"usgs"}',
    20,
    'figure/rare_earths/CN/production/mine/2023',
    0);
