-- Facts that count at a position ($1): in the order of the days on which they became public, by edition,
-- and the newest of each kind, issuer and publisher.
--
-- Days are given as texts: the first and the last of the calendar are days here, and no infinities.

-- name: all
facts AS fact

-- name: about
-- The facts of streams from one name up to another, which is left out, from a position on. They are looked
-- up by entity, which OFFSET sees to.
unnest({low}::text[], {high}::text[], {first}::bigint[]) AS about (low, high, first)
CROSS JOIN LATERAL (
    SELECT * FROM facts
    WHERE entity >= about.low AND entity < about.high AND position >= about.first OFFSET 0) AS fact

-- name: wanted
-- Those between two places in their order, both left out. There are no conditions that are not asked for:
-- by their number the planner tells how many facts are left.
FROM {facts}
WHERE fact.since <= $1 AND fact.until > $1
  AND (fact.public_on, fact.position) > ($2::text::date, $3::bigint)
  AND (fact.public_on, fact.position) < ($4::text::date, $5::bigint)
{conditions}

-- name: types
AND fact.type = ANY ({types}::text[])

-- name: publisher
AND {publisher}::text = ANY (fact.publishers)

-- name: entity
AND fact.entity = {entity}::text

-- name: page
-- At most so many ($6) of them, in their order or, from the end, against it. The limit in figures is that
-- of any page: by it the planner reads the index in order, and no more of it than it takes.
SELECT fact.public_on, event.entry
FROM (
    SELECT fact.public_on, fact.position
    {wanted}
    ORDER BY fact.public_on {way}, fact.position {way}
    LIMIT 201
) AS fact
CROSS JOIN LATERAL (SELECT entry FROM log.events WHERE position = fact.position LIMIT 1) AS event
ORDER BY fact.public_on {way}, fact.position {way}
LIMIT $6;

-- name: count
-- How many they are.
SELECT count(*), $6::integer IS NULL AS whole
{wanted};

-- name: editions
-- The editions of which claims count by a day ($2), of a publisher ($3) if asked. Claims are counted by the
-- series that they are of first, which leaves few rows to be put together.
SELECT publisher, edition, edition_version, min(first_day) AS published_on, max(last_day) AS last_published_on,
       sum(claims)::bigint AS claims, count(DISTINCT split_part(series, '/', 3)) AS places,
       array_agg(DISTINCT split_part(series, '/', 2)) AS commodities,
       array_agg(DISTINCT split_part(series, '/', 4)) AS statistics,
       min(first_year)::integer AS first_year, max(last_year)::integer AS last_year,
       min(first_position) AS first_position, max(last_position) AS last_position
FROM (
    SELECT publishers[1] AS publisher, edition, edition_version,
           CASE WHEN has_year THEN left(entity, -5) ELSE entity END AS series,
           min(CASE WHEN has_year THEN right(entity, 4) END) AS first_year,
           max(CASE WHEN has_year THEN right(entity, 4) END) AS last_year,
           min(public_on) AS first_day, max(public_on) AS last_day, count(*) AS claims,
           min(position) AS first_position, max(position) AS last_position
    FROM {figures}
    CROSS JOIN LATERAL (
        SELECT translate(right(entity, 5), '123456789', '000000000') = '/0000' AS has_year) AS named
    WHERE kind = 'figure' AND edition IS NOT NULL AND since <= $1 AND until > $1 AND public_on <= $2::text::date
      AND ($3::text IS NULL OR publishers[1] = $3)
    GROUP BY 1, 2, 3, 4
) AS stated
GROUP BY publisher, edition, edition_version;

-- name: figures_named
-- The facts about figures whose names begin in some way ($4); nothing in a name comes behind '~'.
unnest($4::text[]) AS beginning
CROSS JOIN LATERAL (
    SELECT * FROM facts WHERE entity >= beginning AND entity < beginning || '~' OFFSET 0) AS fact

-- name: of_issuers
-- The facts of policy with their issuers, actors or alliances, as these are in the end: of all, or of one
-- ($4). They are looked up entity by entity, which OFFSET sees to.
(
    SELECT DISTINCT version.entity, issuer
    FROM {versions}
    CROSS JOIN LATERAL jsonb_array_elements_text(
        CASE version.kind
            WHEN 'alliance' THEN jsonb_build_array(split_part(version.entity, '/', 2))
            ELSE version.places
        END) AS issuer
    WHERE $4::text IS NULL OR issuer = $4
) AS issued
CROSS JOIN LATERAL (SELECT * FROM facts WHERE entity = issued.entity OFFSET 0) AS fact

-- name: without_issuers
-- All facts, where nobody asks for issuers.
(SELECT NULL::text AS issuer
 WHERE $1::text[] IS NOT NULL AND $2::date IS NOT NULL AND $4::text IS NULL) AS issued
CROSS JOIN facts AS fact

-- name: newest
-- The newest fact of each kind ($5), issuer ($6) and publisher ($7), as far as they are told apart by these,
-- and how many there are; of one kind ($8) or publisher ($9) if asked.
SELECT kind, issuer, publisher, facts, DATE '0001-01-01' + last[1]::integer AS public_on, event.position,
       event.recorded_at, event.entry
FROM (
    SELECT CASE WHEN $5::boolean THEN fact.kind END AS kind,
           CASE WHEN $6::boolean THEN issued.issuer END AS issuer,
           CASE WHEN $7::boolean THEN publisher END AS publisher, count(*) AS facts,
           max(ARRAY[(fact.public_on - DATE '0001-01-01')::bigint, fact.position]) AS last
    FROM {facts}
    CROSS JOIN LATERAL unnest(
        CASE WHEN $7::boolean OR $9::text IS NOT NULL THEN fact.publishers ELSE ARRAY[NULL::text] END
    ) AS publisher
    WHERE fact.since <= $3::bigint AND fact.until > $3
      AND fact.kind = ANY (ARRAY['alliance', 'announcement', 'export-control', 'figure', 'firm'])
      AND ($8::text IS NULL OR fact.kind = $8)
      AND ($9::text IS NULL OR publisher = $9)
    GROUP BY 1, 2, 3
) AS newest
CROSS JOIN LATERAL (SELECT * FROM log.events WHERE position = last[2] LIMIT 1) AS event
ORDER BY kind COLLATE "C" NULLS FIRST, issuer COLLATE "C" NULLS FIRST, publisher COLLATE "C" NULLS FIRST;
