-- the last figures of some years; written by: python -m tests.projections.golden_sql
SET search_path = projection, public;
SET plan_cache_mode = force_generic_plan;

PREPARE the_last_figures_of_some_years AS
SELECT
    version.first_day, version.since, version.entity,
    coalesce(lpad(period::text, 4, '0'), '') COLLATE "C" AS key,
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
    SELECT found.entity FROM unnest($4::text[]) AS beginning CROSS JOIN LATERAL (
        SELECT entity FROM subjects
        WHERE kind = $1 AND word = '' AND entity >= beginning AND entity < beginning || '~'
          AND since <= $3::bigint AND first_day <= $2::date
        OFFSET 0) AS found
) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE entity = subject.entity
      AND generation = (
          SELECT max(generation) FROM versions WHERE entity = subject.entity AND generation <= $3::bigint)
      AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
    ORDER BY first_day DESC, since DESC LIMIT 1
) AS version
WHERE commodities ?| $5::text[]
  AND version.period <@ $6::int4range
  AND split_part(version.entity, '/', 5) = $7::text
ORDER BY coalesce(lpad(period::text, 4, '0'), '') COLLATE "C" DESC, subject.entity DESC
LIMIT $8;

EXECUTE the_last_figures_of_some_years (
    'figure',
    '2025-06-01',
    1000000,
    '{"figure/rare_earths/","figure/dysprosium/","figure/terbium/","figure/neodymium/"}',
    '{"rare_earths","dysprosium","terbium","neodymium"}',
    '[2020,2023]',
    'mine',
    20);
