-- controls under a licence between two titles; written by: python -m tests.projections.golden_sql
SET search_path = projection, public;
SET plan_cache_mode = force_generic_plan;

PREPARE controls_under_a_licence_between_two_titles AS
SELECT
    version.first_day, version.since, version.entity,
    coalesce(title, '') AS key,
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
    SELECT DISTINCT entity FROM subjects
    WHERE kind = $1 AND word = ANY ($4::text[]) AND since <= $3::bigint AND first_day <= $2::date
) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE entity = subject.entity
      AND generation = (
          SELECT max(generation) FROM versions WHERE entity = subject.entity AND generation <= $3::bigint)
      AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
    ORDER BY first_day DESC, since DESC LIMIT 1
) AS version
WHERE commodities ?| $5::text[]
  AND version.dated && $7::daterange
  AND EXISTS (
      SELECT FROM jsonb_to_recordset(clauses)
          AS clause (measure text, status text, commodities text[], in_force daterange,
                     suspended daterange)
      WHERE clause.commodities && $5::text[]
        AND clause.measure = $6::text)
  AND coalesce(title, '') >= $9::text
  AND (coalesce(title, ''), subject.entity) >= ($9::text, $10::text)
  AND coalesce(title, '') <= $11::text
  AND (coalesce(title, ''), subject.entity) <= ($11::text, $12::text)
ORDER BY coalesce(title, '') ASC, subject.entity ASC
LIMIT $8;

EXECUTE controls_under_a_licence_between_two_titles (
    'export-control',
    '2025-06-01',
    1000000,
    '{"rare_earths","dysprosium","terbium","neodymium"}',
    '{"rare_earths","dysprosium","terbium","neodymium"}',
    'licence',
    '(,2025-06-01]',
    NULL,
    'a',
    'export-control/a',
    'z',
    'export-control/z');
