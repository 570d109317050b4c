-- controls by their words; written by: python -m tests.projections.golden_sql
SET search_path = projection, public;
SET plan_cache_mode = force_generic_plan;

PREPARE controls_by_their_words AS
SELECT
    version.first_day, version.since, version.entity,
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
    SELECT DISTINCT entity FROM texts
    WHERE kind = $1 AND (to_tsvector('simple', said) || to_tsvector('english', said)) @@ (to_tsquery('simple', $6) || to_tsquery('english', $6)) AND EXISTS (
        SELECT FROM subjects
        WHERE kind = $1 AND word = ANY ($4::text[]) AND entity = texts.entity
          AND since <= $3::bigint AND first_day <= $2::date)
) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE entity = subject.entity
      AND generation = (
          SELECT max(generation) FROM versions WHERE entity = subject.entity AND generation <= $3::bigint)
      AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
    ORDER BY first_day DESC, since DESC LIMIT 1
) AS version
WHERE places ?| $5::text[]
  AND (to_tsvector('simple', said) || to_tsvector('english', said)) @@ (to_tsquery('simple', $6) || to_tsquery('english', $6))
ORDER BY subject.entity ASC
LIMIT $7;

EXECUTE controls_by_their_words (
    'export-control',
    '2025-06-01',
    1000000,
    '{"CN"}',
    '{"CN"}',
    '''gallium'':*',
    20);
