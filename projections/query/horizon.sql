-- The policy horizon.

-- name: policy_entities
-- Instruments, announcements and alliances: all, or those of one issuer, actor or alliance ($4).
SELECT DISTINCT entity FROM subjects
WHERE kind = ANY ($1::text[]) AND word = coalesce($4::text, '') AND since <= $3::bigint
UNION
SELECT 'alliance/' || $4 WHERE $4 IS NOT NULL

-- name: horizon
-- The newest policy fact of each issuer, actor or alliance, or of one ($4), with its event; some entities
-- ($5) are excluded.
SELECT newest.issuer, newest.newest_fact, event.position, event.recorded_at, event.entry
FROM (
    SELECT DISTINCT ON (issuer) issuer, version.newest_fact, version.newest_position
    FROM {versions}
    CROSS JOIN LATERAL jsonb_array_elements_text(
        CASE version.kind
            WHEN 'alliance' THEN jsonb_build_array(split_part(version.entity, '/', 2))
            ELSE version.places
        END) AS issuer
    WHERE ($4::text IS NULL OR issuer = $4) AND version.entity <> ALL ($5::text[])
    ORDER BY issuer, version.newest_fact DESC, version.newest_position DESC
) AS newest
CROSS JOIN LATERAL (
    SELECT * FROM log.events WHERE position = newest.newest_position LIMIT 1) AS event
ORDER BY newest.issuer;
