-- Written by: python -m tests.projections.golden_sql
SET search_path = projection, public;
SET plan_cache_mode = force_generic_plan;

-- a control
PREPARE a_control AS
SELECT CASE WHEN ascii(version.state) <> 2 THEN version.state ELSE (
    SELECT split_part(version.state, E'\x02', 4)
           || string_agg(element.text, ',' ORDER BY element.place) FILTER (WHERE element.list = 1)
           || split_part(version.state, E'\x02', 5)
           || coalesce(string_agg(element.text, ',' ORDER BY element.place)
                       FILTER (WHERE element.list = 2), '')
           || split_part(version.state, E'\x02', 6)
    FROM elements AS element
    WHERE element.entity = version.entity
      AND element.until > version.since AND element.since <= version.since
      AND element.first_day <= version.first_day AND element.last_day >= version.first_day) END AS state FROM (SELECT * FROM versions
WHERE entity = $1::text
  AND generation = (
      SELECT max(generation) FROM versions WHERE entity = $1::text AND generation <= $3::bigint)
  AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
ORDER BY first_day DESC, since DESC LIMIT 1) AS version;

EXECUTE a_control (
    'export-control/cn-mofcom-2024-46',
    '2025-06-01',
    1000000);

-- a figure
PREPARE a_figure AS
SELECT CASE WHEN ascii(version.state) <> 2 THEN version.state ELSE (
    SELECT split_part(version.state, E'\x02', 4)
           || string_agg(element.text, ',' ORDER BY element.place) FILTER (WHERE element.list = 1)
           || split_part(version.state, E'\x02', 5)
           || coalesce(string_agg(element.text, ',' ORDER BY element.place)
                       FILTER (WHERE element.list = 2), '')
           || split_part(version.state, E'\x02', 6)
    FROM elements AS element
    WHERE element.entity = version.entity
      AND element.until > version.since AND element.since <= version.since
      AND element.first_day <= version.first_day AND element.last_day >= version.first_day) END AS state FROM (SELECT * FROM versions
WHERE entity = $1::text
  AND generation = (
      SELECT max(generation) FROM versions WHERE entity = $1::text AND generation <= $3::bigint)
  AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
ORDER BY first_day DESC, since DESC LIMIT 1) AS version;

EXECUTE a_figure (
    'figure/rare_earths/CN/production/mine/2023',
    '2025-06-01',
    1000000);

-- controls
PREPARE controls AS
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
    WHERE kind = $1 AND word = ($4::text[])[1] AND since <= $3::bigint AND first_day <= $2::date
) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE entity = subject.entity
      AND generation = (
          SELECT max(generation) FROM versions WHERE entity = subject.entity AND generation <= $3::bigint)
      AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
    ORDER BY first_day DESC, since DESC LIMIT 1
) AS version
WHERE true
ORDER BY subject.entity ASC
LIMIT $5;

EXECUTE controls (
    'export-control',
    '2025-06-01',
    1000000,
    '{""}',
    20);

-- controls of an issuer on a commodity in force
PREPARE controls_of_an_issuer_on_a_commodity_in_force AS
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
    WHERE kind = $1 AND word = ($4::text[])[1] AND since <= $3::bigint AND first_day <= $2::date
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
  AND EXISTS (
      SELECT FROM jsonb_to_recordset(clauses)
          AS clause (measure text, status text, commodities text[], in_force daterange,
                     suspended daterange)
      WHERE clause.commodities && $5::text[]
        AND clause.status = $7::text)
ORDER BY subject.entity ASC
LIMIT $8;

EXECUTE controls_of_an_issuer_on_a_commodity_in_force (
    'export-control',
    '2025-06-01',
    1000000,
    '{"gallium CN"}',
    '{"gallium"}',
    '{"CN"}',
    'in_force',
    20);

-- controls on a group
PREPARE controls_on_a_group AS
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
ORDER BY subject.entity ASC
LIMIT $6;

EXECUTE controls_on_a_group (
    'export-control',
    '2025-06-01',
    1000000,
    '{"rare_earths","dysprosium","terbium","neodymium"}',
    '{"rare_earths","dysprosium","terbium","neodymium"}',
    20);

-- alliances of a member
PREPARE alliances_of_a_member AS
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
    WHERE kind = $1 AND word = ($4::text[])[1] AND since <= $3::bigint AND first_day <= $2::date
) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE entity = subject.entity
      AND generation = (
          SELECT max(generation) FROM versions WHERE entity = subject.entity AND generation <= $3::bigint)
      AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
    ORDER BY first_day DESC, since DESC LIMIT 1
) AS version
WHERE places ?| $5::text[]
ORDER BY subject.entity ASC
LIMIT $6;

EXECUTE alliances_of_a_member (
    'alliance',
    '2025-06-01',
    1000000,
    '{"JP"}',
    '{"JP"}',
    20);

-- announcements after one
PREPARE announcements_after_one AS
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
    WHERE kind = $1 AND word = ($4::text[])[1] AND since <= $3::bigint AND first_day <= $2::date
) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE entity = subject.entity
      AND generation = (
          SELECT max(generation) FROM versions WHERE entity = subject.entity AND generation <= $3::bigint)
      AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
    ORDER BY first_day DESC, since DESC LIMIT 1
) AS version
WHERE places ?| $5::text[]
  AND subject.entity >= $7::text
  AND (subject.entity) > ($7::text)
ORDER BY subject.entity ASC
LIMIT $6;

EXECUTE announcements_after_one (
    'announcement',
    '2025-06-01',
    1000000,
    '{"US"}',
    '{"US"}',
    20,
    'announcement/a');

-- figures of a group
PREPARE figures_of_a_group AS
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
  AND category = $6::text
ORDER BY subject.entity ASC
LIMIT $7;

EXECUTE figures_of_a_group (
    'figure',
    '2025-06-01',
    1000000,
    '{"figure/rare_earths/","figure/dysprosium/","figure/terbium/","figure/neodymium/"}',
    '{"rare_earths","dysprosium","terbium","neodymium"}',
    'production',
    20);

-- production
PREPARE production AS
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
    WHERE kind = $1 AND word = ($4::text[])[1] AND since <= $3::bigint AND first_day <= $2::date
) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE entity = subject.entity
      AND generation = (
          SELECT max(generation) FROM versions WHERE entity = subject.entity AND generation <= $3::bigint)
      AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
    ORDER BY first_day DESC, since DESC LIMIT 1
) AS version
WHERE true
ORDER BY subject.entity ASC
LIMIT $5;

EXECUTE production (
    'figure',
    '2025-06-01',
    1000000,
    '{"rare_earths 2023"}',
    NULL);

-- supplies of a group
PREPARE supplies_of_a_group AS
SELECT commodity, place, statistic, product, publisher, unit, basis, array_agg(years) AS years
FROM (
    SELECT split_part(entity, '/', 2) AS commodity, split_part(entity, '/', 3) AS place,
           split_part(entity, '/', 4) AS statistic, product, publishers[1] AS publisher, unit, basis, years
    FROM unnest($4::text[]) AS beginning
    CROSS JOIN LATERAL (
        SELECT * FROM facts WHERE entity >= beginning AND entity < beginning || '~' OFFSET 0) AS fact
    WHERE kind = $1::text AND edition IS NOT NULL AND since <= $3::bigint AND until > $3 AND public_on <= $2::date
) AS claimed
WHERE $5::text IS NULL OR statistic = $5
GROUP BY commodity, place, statistic, product, publisher, unit, basis;

EXECUTE supplies_of_a_group (
    'figure',
    '2025-06-01',
    1000000,
    '{"figure/dysprosium/","figure/neodymium/","figure/rare_earths/","figure/terbium/"}',
    NULL);

-- reserves
PREPARE reserves AS
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
    WHERE kind = $1 AND word = ($4::text[])[1] AND since <= $3::bigint AND first_day <= $2::date
) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE entity = subject.entity
      AND generation = (
          SELECT max(generation) FROM versions WHERE entity = subject.entity AND generation <= $3::bigint)
      AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
    ORDER BY first_day DESC, since DESC LIMIT 1
) AS version
WHERE true
ORDER BY subject.entity ASC
LIMIT $5;

EXECUTE reserves (
    'figure',
    '2025-06-01',
    1000000,
    '{"lithium None"}',
    NULL);

-- claims of a publisher
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

-- how many controls
PREPARE how_many_controls AS
SELECT count(*)
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
WHERE true;

EXECUTE how_many_controls (
    'export-control',
    '2025-06-01',
    1000000,
    '{""}');

-- how many claims on a commodity
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

-- controls in force in a time
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

-- controls by their words
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

-- how many announcements by their words
PREPARE how_many_announcements_by_their_words AS
SELECT count(*)
FROM (
    SELECT DISTINCT entity FROM texts
    WHERE kind = $1 AND (to_tsvector('simple', said) || to_tsvector('english', said)) @@ (to_tsquery('simple', $5) || to_tsquery('english', $5)) AND EXISTS (
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
WHERE (to_tsvector('simple', said) || to_tsvector('english', said)) @@ (to_tsquery('simple', $5) || to_tsquery('english', $5));

EXECUTE how_many_announcements_by_their_words (
    'announcement',
    '2025-06-01',
    1000000,
    '{""}',
    '''quad'':* & ''minerals'':*');

-- the last figures of some years
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

-- controls under a licence between two titles
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

-- figures of a place
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

-- the newest claims that somebody looked at
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

-- controls with other accounts
PREPARE controls_with_other_accounts AS
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
    WHERE kind = $1 AND word = ($4::text[])[1] AND since <= $3::bigint AND first_day <= $2::date
) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE entity = subject.entity
      AND generation = (
          SELECT max(generation) FROM versions WHERE entity = subject.entity AND generation <= $3::bigint)
      AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
    ORDER BY first_day DESC, since DESC LIMIT 1
) AS version
WHERE (strpos(version.state, '"disputes":[') > 0) = $5::boolean
ORDER BY subject.entity ASC
LIMIT $6;

EXECUTE controls_with_other_accounts (
    'export-control',
    '2025-06-01',
    1000000,
    '{""}',
    true,
    NULL);

-- how many controls by how they were looked at
PREPARE how_many_controls_by_how_they_were_looked_at AS
SELECT count(*)
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
WHERE (coalesce(version.sources, (
      SELECT jsonb_path_query_array(jsonb_agg(element.source), '$[*][*]')
      FROM elements AS element
      WHERE element.entity = version.entity
        AND element.until > version.since AND element.since <= version.since
        AND element.first_day <= version.first_day AND element.last_day >= version.first_day
        AND element.source IS NOT NULL)) @> '[{"is_primary": false}]') <> $5::boolean
  AND coalesce(version.sources, (
      SELECT jsonb_path_query_array(jsonb_agg(element.source), '$[*][*]')
      FROM elements AS element
      WHERE element.entity = version.entity
        AND element.until > version.since AND element.since <= version.since
        AND element.first_day <= version.first_day AND element.last_day >= version.first_day
        AND element.source IS NOT NULL)) @> jsonb_build_array(jsonb_build_object('checked', $6::text));

EXECUTE how_many_controls_by_how_they_were_looked_at (
    'export-control',
    '2025-06-01',
    1000000,
    '{""}',
    true,
    'page');

-- how many claims by how they were looked at
PREPARE how_many_claims_by_how_they_were_looked_at AS
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
    AS claim (position bigint, is_primary boolean, checked text)
WHERE commodities ?| $5::text[]
  AND claim.position IS NOT NULL
  AND claim.is_primary = $6::boolean
  AND claim.checked = $7::text;

EXECUTE how_many_claims_by_how_they_were_looked_at (
    'figure',
    '2025-06-01',
    1000000,
    '{"figure/gallium/"}',
    '{"gallium"}',
    false,
    'page');

-- how many announcements of a publisher
PREPARE how_many_announcements_of_a_publisher AS
SELECT count(*)
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
  AND (coalesce(version.sources, (
      SELECT jsonb_path_query_array(jsonb_agg(element.source), '$[*][*]')
      FROM elements AS element
      WHERE element.entity = version.entity
        AND element.until > version.since AND element.since <= version.since
        AND element.first_day <= version.first_day AND element.last_day >= version.first_day
        AND element.source IS NOT NULL)) @> '[{"is_primary": false}]') <> $7::boolean;

EXECUTE how_many_announcements_of_a_publisher (
    'announcement',
    '2025-06-01',
    1000000,
    '{"usgs"}',
    '{"usgs"}',
    '(,2025-06-01]',
    false);

-- how many figures on an early day
PREPARE how_many_figures_on_an_early_day AS
SELECT count(*)
FROM (
    SELECT entity FROM subjects
    WHERE kind || ' ' || word = $1 || ' ' || ($4::text[])[1] AND first_day <= $2::date
      AND since <= $3::bigint
) AS subject CROSS JOIN LATERAL (
    SELECT * FROM versions
    WHERE entity = subject.entity
      AND generation = (
          SELECT max(generation) FROM versions WHERE entity = subject.entity AND generation <= $3::bigint)
      AND since <= $3::bigint AND until > $3::bigint AND first_day <= $2::date AND last_day >= $2::date
    ORDER BY first_day DESC, since DESC LIMIT 1
) AS version
WHERE true;

EXECUTE how_many_figures_on_an_early_day (
    'figure',
    '2025-06-01',
    1000000,
    '{"usgs"}');

-- digest
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
    '{"alliance","announcement","export-control","figure","firm","preference","import","redaction","source","coverage","flow","tariff-edition","tariff-line","obligation","text"}',
    '2025-06-01',
    1000000);
