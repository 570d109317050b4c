-- digest; written by: python -m tests.projections.golden_sql
SET search_path = projection, public;
SET plan_cache_mode = force_generic_plan;

PREPARE digest AS
SELECT version.entity, CASE WHEN ascii(version.state) <> 2 THEN version.state ELSE (
    SELECT split_part(version.state, E'\x02', 4)
           || string_agg(element.text, ',' ORDER BY element.place) FILTER (WHERE element.list = 1)
           || split_part(version.state, E'\x02', 5)
           || coalesce(string_agg(element.text, ',' ORDER BY element.place)
                       FILTER (WHERE element.list = 2), '')
           || split_part(version.state, E'\x02', 6)
    FROM elements AS element
    WHERE element.entity = version.entity
      AND element.until > version.since AND element.since <= version.since
      AND element.first_day <= version.first_day AND element.last_day >= version.first_day) END AS state FROM (
    SELECT entity FROM subjects
    WHERE kind = ANY ($1::text[]) AND word = '' AND since <= $3::bigint AND first_day <= $2::date
) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE entity = subject.entity
      AND generation = (
          SELECT max(generation) FROM versions WHERE entity = subject.entity AND generation <= $3::bigint)
      AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
    ORDER BY first_day DESC, since DESC LIMIT 1
) AS version ORDER BY version.entity;

EXECUTE digest (
    '{"alliance","announcement","export-control","figure","firm","preference","import","redaction","source","coverage","flow","tariff-edition","tariff-line"}',
    '2025-06-01',
    1000000);
