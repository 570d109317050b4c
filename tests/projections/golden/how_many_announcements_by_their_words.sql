-- how many announcements by their words; written by: python -m tests.projections.golden_sql
SET search_path = projection, public;
SET plan_cache_mode = force_generic_plan;

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
