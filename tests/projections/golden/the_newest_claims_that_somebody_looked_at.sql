-- the newest claims that somebody looked at; written by: python -m tests.projections.golden_sql
SET search_path = projection, public;
SET plan_cache_mode = force_generic_plan;

PREPARE the_newest_claims_that_somebody_looked_at AS
SELECT
    version.first_day, version.since, version.entity,
    claim.position,
    to_char(lower(claim.published), 'YYYY-MM-DD') COLLATE "C" AS key,
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
    AS claim (position bigint, publisher text, published daterange, level int, is_primary boolean, checked text)
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
  AND EXISTS (
      SELECT FROM jsonb_to_recordset(coalesce(version.sources, (
          SELECT jsonb_path_query_array(jsonb_agg(element.source), '$[*][*]')
          FROM elements AS element
          WHERE element.entity = version.entity
            AND element.until > version.since AND element.since <= version.since
            AND element.first_day <= version.first_day AND element.last_day >= version.first_day
            AND element.source IS NOT NULL)))
          AS source (published daterange)
      WHERE source.published && $6::daterange)
  AND claim.position IS NOT NULL
  AND claim.publisher = ANY ($5::text[])
  AND claim.published && $6::daterange
  AND (claim.level = 0) = $7::boolean
  AND claim.level <= $8::int
  AND claim.is_primary = $9::boolean
  AND claim.checked = $10::text
  AND to_char(lower(claim.published), 'YYYY-MM-DD') COLLATE "C" <= $12::text
  AND (to_char(lower(claim.published), 'YYYY-MM-DD') COLLATE "C", subject.entity, claim.position) < ($12::text, $13::text, $14::bigint)
ORDER BY to_char(lower(claim.published), 'YYYY-MM-DD') COLLATE "C" DESC, subject.entity DESC, claim.position DESC
LIMIT $11;

EXECUTE the_newest_claims_that_somebody_looked_at (
    'figure',
    '2025-06-01',
    1000000,
    '{"usgs"}',
    '{"usgs"}',
    '[2020-01-01,2025-06-01]',
    true,
    3,
    true,
    'data_file',
    20,
    '2024-01-31',
    'figure/rare_earths/CN/production/mine/2023',
    0);
