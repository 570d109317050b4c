-- The policy horizon.

-- name: policy_entities
-- Instruments and alliances: all, or those of one issuer or alliance ($4).
SELECT DISTINCT entity FROM subjects
WHERE kind = ANY ($1::text[]) AND word = coalesce($4::text, '') AND since <= $3::bigint
UNION
SELECT 'alliance/' || $4 WHERE $4 IS NOT NULL

-- name: horizon
-- The newest act of each issuer or alliance, or of one ($4), with its event. Facts of some types ($5), such
-- as statements, are not acts.
SELECT newest.issuer, newest.public_on, event.position, event.recorded_at, event.entry
FROM (
    SELECT DISTINCT ON (issuer) issuer, act.public_on, act.position
    FROM {versions}
    CROSS JOIN LATERAL (
        SELECT CASE version.kind WHEN 'alliance' THEN split_part(version.entity, '/', 2)
               ELSE version.places ->> 0 END) AS of (issuer)
    CROSS JOIN LATERAL (
        SELECT public_on, position FROM facts
        WHERE entity = version.entity AND type <> ALL ($5::text[])
          AND since <= $3::bigint AND until > $3::bigint
        ORDER BY public_on DESC, position DESC LIMIT 1) AS act
    WHERE $4::text IS NULL OR issuer = $4
    ORDER BY issuer, act.public_on DESC, act.position DESC
) AS newest
CROSS JOIN LATERAL (
    SELECT * FROM log.events WHERE position = newest.position LIMIT 1) AS event
ORDER BY newest.issuer;
