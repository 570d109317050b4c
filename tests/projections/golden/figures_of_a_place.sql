-- figures of a place; written by: python -m tests.projections.golden_sql
SET search_path = projection, public;
SET plan_cache_mode = force_generic_plan;

PREPARE figures_of_a_place AS
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
WHERE commodities ?| $5::text[]
  AND places ?| $6::text[]
ORDER BY subject.entity ASC
LIMIT $7;

EXECUTE figures_of_a_place (
    'figure',
    '2025-06-01',
    1000000,
    '{"figure/gallium/CN/"}',
    '{"gallium"}',
    '{"CN"}',
    20);
