-- supplies of a group; written by: python -m tests.projections.golden_sql
SET search_path = projection, public;
SET plan_cache_mode = force_generic_plan;

PREPARE supplies_of_a_group AS
SELECT commodity, statistic, stage, form, grouping(unit) = 0 AS of_unit, unit, basis,
       coalesce(array_agg(DISTINCT period ORDER BY period) FILTER (WHERE period IS NOT NULL), '{}')
           AS years,
       count(DISTINCT place) FILTER (WHERE place <> ALL ($6::text[])) AS places,
       bool_or(place = 'WORLD') AS has_world_total,
       count(DISTINCT entity) AS figures, count(*) AS claims,
       array_agg(DISTINCT publisher ORDER BY publisher) AS publishers
FROM (
    SELECT version.entity, version.commodity, version.category AS statistic, version.period,
           series.place, series.stage, series.form,
           claim.quantity ->> 'unit' AS unit, claim.quantity ->> 'basis' AS basis,
           claim.source ->> 'publisher' AS publisher
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
    CROSS JOIN LATERAL json_to_record(CASE WHEN ascii(version.state) <> 2 THEN version.state ELSE (
        SELECT split_part(version.state, E'\x02', 4)
               || string_agg(element.text, ',' ORDER BY element.place) FILTER (WHERE element.list = 1)
               || split_part(version.state, E'\x02', 5)
               || coalesce(string_agg(element.text, ',' ORDER BY element.place)
                           FILTER (WHERE element.list = 2), '')
               || split_part(version.state, E'\x02', 6)
        FROM elements AS element
        WHERE element.entity = version.entity
          AND element.until > version.since AND element.since <= version.since
          AND element.first_day <= version.first_day AND element.last_day >= version.first_day) END::json)
        AS state (series json, claims json)
    CROSS JOIN LATERAL json_to_record(state.series) AS series (place text, stage text, form text)
    CROSS JOIN LATERAL json_to_recordset(state.claims) AS claim (quantity json, source json)
    WHERE $5::text IS NULL OR version.category = $5
) AS claimed
GROUP BY GROUPING SETS (
    (commodity, statistic, stage, form), (commodity, statistic, stage, form, unit, basis))
ORDER BY of_unit, claims DESC, unit, basis NULLS FIRST;

EXECUTE supplies_of_a_group (
    'figure',
    '2025-06-01',
    1000000,
    '{"figure/dysprosium/","figure/neodymium/","figure/rare_earths/","figure/terbium/"}',
    NULL,
    '{"WORLD","OTHER","EU","US_CA","AU_CA_CN_NA"}');
