-- controls in force in a time; written by: python -m tests.projections.golden_sql
SET search_path = projection, public;
SET plan_cache_mode = force_generic_plan;

PREPARE controls_in_force_in_a_time AS
SELECT
    version.first_day, version.since, version.entity,
    coalesce(to_char(lower(dated), 'YYYY-MM-DD'), '') COLLATE "C" AS key,
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
WHERE jsonb_path_exists(coalesce(version.sources, (
      SELECT jsonb_path_query_array(jsonb_agg(element.source), '$[*][*]')
      FROM elements AS element
      WHERE element.entity = version.entity
        AND element.until > version.since AND element.since <= version.since
        AND element.first_day <= version.first_day AND element.last_day >= version.first_day
        AND element.source IS NOT NULL)), '$[*] ? (@.level > 0)') <> $6::boolean
  AND NOT jsonb_path_exists(coalesce(version.sources, (
      SELECT jsonb_path_query_array(jsonb_agg(element.source), '$[*][*]')
      FROM elements AS element
      WHERE element.entity = version.entity
        AND element.until > version.since AND element.since <= version.since
        AND element.first_day <= version.first_day AND element.last_day >= version.first_day
        AND element.source IS NOT NULL)), '$[*] ? (@.level > $level)', jsonb_build_object('level', $7::int))
  AND (coalesce(version.sources, (
      SELECT jsonb_path_query_array(jsonb_agg(element.source), '$[*][*]')
      FROM elements AS element
      WHERE element.entity = version.entity
        AND element.until > version.since AND element.since <= version.since
        AND element.first_day <= version.first_day AND element.last_day >= version.first_day
        AND element.source IS NOT NULL)) @> '[{"is_primary": false}]') <> $8::boolean
  AND coalesce(version.sources, (
      SELECT jsonb_path_query_array(jsonb_agg(element.source), '$[*][*]')
      FROM elements AS element
      WHERE element.entity = version.entity
        AND element.until > version.since AND element.since <= version.since
        AND element.first_day <= version.first_day AND element.last_day >= version.first_day
        AND element.source IS NOT NULL)) @> jsonb_build_array(jsonb_build_object('checked', $9::text))
  AND EXISTS (
      SELECT FROM jsonb_to_recordset(clauses)
          AS clause (measure text, status text, commodities text[], in_force daterange,
                     suspended daterange)
      WHERE (clause.in_force && $5::daterange
            AND coalesce(NOT clause.in_force * $5 <@ clause.suspended, true)))
ORDER BY coalesce(to_char(lower(dated), 'YYYY-MM-DD'), '') COLLATE "C" DESC, subject.entity DESC
LIMIT $10;

EXECUTE controls_in_force_in_a_time (
    'export-control',
    '2025-06-01',
    1000000,
    '{""}',
    '[2025-01-01,)',
    false,
    4,
    false,
    'page',
    20);
