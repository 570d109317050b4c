-- Effective facts at a position ($1): by publication day, by edition, and the newest of each kind, issuer
-- and publisher.
--
-- Days are passed as texts, because the first and last of the calendar are days here, not infinities.

-- name: all
facts AS fact

-- name: about
-- The facts of streams between two names (the second is excluded), from a position on. OFFSET makes
-- PostgreSQL look them up by entity.
unnest({low}::text[], {high}::text[], {first}::bigint[]) AS about (low, high, first)
CROSS JOIN LATERAL (
    SELECT * FROM facts
    WHERE entity >= about.low AND entity < about.high AND position >= about.first OFFSET 0) AS fact

-- name: wanted
-- The facts between two keys of their order, both excluded. Unused conditions are left out, so that the
-- planner estimates the number of rows correctly.
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
-- At most $6 of the facts, in their order or reversed. The limit in figures is that of any page. With it
-- the planner reads the index in order, and no more of it than needed.
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
-- The number of facts.
SELECT count(*), $6::integer IS NULL AS whole
{wanted};

-- name: editions_of_commodities
-- The editions with effective claims on some commodities by a day ($2), of a publisher ($3) if given.
-- Claims are first counted by series, which leaves few rows to combine.
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
    FROM {figures_named}
    CROSS JOIN LATERAL (
        SELECT translate(right(entity, 5), '123456789', '000000000') = '/0000' AS has_year) AS named
    WHERE kind = 'figure' AND edition IS NOT NULL AND since <= $1 AND until > $1 AND public_on <= $2::text::date
      AND ($3::text IS NULL OR publishers[1] = $3)
    GROUP BY 1, 2, 3, 4
) AS stated
GROUP BY publisher, edition, edition_version;

-- name: figures_named
-- The facts about figures whose names have a prefix ($4); nothing in a name sorts after '~'.
unnest($4::text[]) AS beginning
CROSS JOIN LATERAL (
    SELECT * FROM facts WHERE entity >= beginning AND entity < beginning || '~' OFFSET 0) AS fact

-- name: claims_named
-- The claims on these figures (kind $1) on a day ($2) at a position ($3). A claim is public from its day on, in all
-- later versions of its figure, so no version is looked up.
{figures_named}
WHERE kind = $1::text AND edition IS NOT NULL AND since <= $3::bigint AND until > $3 AND public_on <= $2::date

-- name: of_issuers
-- Policy facts with their final issuers, actors or alliances: all, or those of one ($4). OFFSET makes
-- PostgreSQL look them up by entity.
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

-- name: newest_by_issuer
-- The newest fact of each kind ($5), issuer ($6) and publisher ($7), as far as these group the facts, and
-- their number; of one kind ($8) or publisher ($9) if given.
SELECT kind, issuer, publisher, facts, DATE '0001-01-01' + last[1]::integer AS public_on, event.position,
       event.recorded_at, event.entry
FROM (
    SELECT CASE WHEN $5::boolean THEN fact.kind END AS kind,
           CASE WHEN $6::boolean THEN issued.issuer END AS issuer,
           CASE WHEN $7::boolean THEN publisher END AS publisher, count(*) AS facts,
           max(ARRAY[(fact.public_on - DATE '0001-01-01')::bigint, fact.position]) AS last
    FROM {of_issuers}
    CROSS JOIN LATERAL unnest(
        CASE WHEN $7::boolean OR $9::text IS NOT NULL THEN fact.publishers ELSE ARRAY[NULL::text] END
    ) AS publisher
    WHERE fact.since <= $3::bigint AND fact.until > $3
      AND fact.kind = ANY (ARRAY['alliance', 'announcement', 'export-control', 'figure', 'firm', 'flow'])
      AND ($8::text IS NULL OR fact.kind = $8)
      AND ($9::text IS NULL OR publisher = $9)
    GROUP BY 1, 2, 3
) AS newest
CROSS JOIN LATERAL (SELECT * FROM log.events WHERE position = last[2] LIMIT 1) AS event
ORDER BY kind COLLATE "C" NULLS FIRST, issuer COLLATE "C" NULLS FIRST, publisher COLLATE "C" NULLS FIRST;

-- name: summed
-- The number of effective facts at a position ($1) by group: the sums of the blocks before its own ($2),
-- plus the changes within its block, from its first position ($3) on.
(
    SELECT kind, publishers, edition, edition_version, public_on, facet, word, sum(facts) AS facts
    FROM (
        SELECT kind, publishers, edition, edition_version, public_on, facet, word, facts
        FROM fact_sums WHERE block < $2 AND {conditions}
        UNION ALL
        SELECT kind, publishers, coalesce(edition, ''), coalesce(edition_version, ''), public_on, facet, word, facts
        FROM (
            SELECT *, 1 AS facts FROM facts WHERE since >= $3 AND since <= $1
            UNION ALL
            SELECT *, -1 FROM facts WHERE until >= $3 AND until <= $1 AND until < 9223372036854775807
        ) AS changed
        CROSS JOIN LATERAL (VALUES
            ('', ''),
            ('commodity', split_part(entity, '/', 2)),
            ('place', split_part(entity, '/', 3)),
            ('statistic', split_part(entity, '/', 4)),
            ('year', substring(entity FROM '/([0-9][0-9][0-9][0-9])$'))) AS of (facet, word)
        WHERE word IS NOT NULL AND (facet = '' OR edition IS NOT NULL) AND {conditions}
    ) AS changes
    GROUP BY kind, publishers, edition, edition_version, public_on, facet, word
    HAVING sum(facts) > 0
) AS summed

-- name: of_editions
kind = 'figure' AND edition <> '' AND public_on <= $4::text::date AND ($5::text IS NULL OR publishers[1] = $5)

-- name: editions
-- The editions with effective claims by a day ($4), of a publisher ($5) if given.
SELECT found.*, first.position AS first_position, last.position AS last_position
FROM (
    SELECT publishers[1] AS publisher, edition, nullif(edition_version, '') AS edition_version,
           min(public_on) AS published_on, max(public_on) AS last_published_on,
           (sum(facts) FILTER (WHERE facet = ''))::bigint AS claims,
           count(DISTINCT word) FILTER (WHERE facet = 'place') AS places,
           array_agg(DISTINCT word) FILTER (WHERE facet = 'commodity') AS commodities,
           array_agg(DISTINCT word) FILTER (WHERE facet = 'statistic') AS statistics,
           min(word::integer) FILTER (WHERE facet = 'year') AS first_year,
           max(word::integer) FILTER (WHERE facet = 'year') AS last_year
    FROM {summed}
    GROUP BY 1, 2, 3
) AS found
CROSS JOIN LATERAL ({first}) AS first
CROSS JOIN LATERAL ({last}) AS last;

-- name: position_of_edition
-- The position of the first or last claim of an edition. Claims are read in order until one is effective,
-- which most are. Without CASE the planner would not expect this.
SELECT position FROM facts
WHERE edition = found.edition AND position <= $1 AND CASE
    WHEN publishers[1] = found.publisher AND edition_version IS NOT DISTINCT FROM found.edition_version
     AND kind = 'figure' AND since <= $1 AND until > $1 AND public_on <= $4::text::date THEN true
    ELSE false END
ORDER BY position {way} LIMIT 1

-- name: newest
-- The newest fact of each kind ($4) and publisher ($5), as far as these group the facts, and their number;
-- of one kind ($6) or publisher ($7) if given.
SELECT newest.kind, NULL AS issuer, newest.publisher, newest.facts, newest.public_on, event.position,
       event.recorded_at, event.entry
FROM (
    SELECT CASE WHEN $4::boolean THEN summed.kind END AS kind,
           CASE WHEN $5::boolean THEN publisher END AS publisher,
           sum(facts)::bigint AS facts, max(public_on) AS public_on
    FROM {summed}
    CROSS JOIN LATERAL unnest(
        CASE WHEN $5::boolean OR $7::text IS NOT NULL THEN publishers ELSE ARRAY[NULL::text] END
    ) AS publisher
    WHERE $7::text IS NULL OR publisher = $7
    GROUP BY 1, 2
) AS newest
CROSS JOIN LATERAL (
    SELECT position FROM facts
    WHERE public_on = newest.public_on AND position <= $1 AND CASE
        WHEN since <= $1 AND until > $1
         AND kind = ANY (ARRAY['alliance', 'announcement', 'export-control', 'figure', 'firm', 'flow'])
         AND (newest.kind IS NULL OR kind = newest.kind) AND ($6::text IS NULL OR kind = $6)
         AND (coalesce(newest.publisher, $7) IS NULL OR coalesce(newest.publisher, $7) = ANY (publishers)) THEN true
        ELSE false END
    ORDER BY position DESC LIMIT 1) AS last
CROSS JOIN LATERAL (SELECT * FROM log.events WHERE position = last.position LIMIT 1) AS event
ORDER BY newest.kind COLLATE "C" NULLS FIRST, newest.publisher COLLATE "C" NULLS FIRST;

-- name: of_newest
facet = '' AND kind = ANY (ARRAY['alliance', 'announcement', 'export-control', 'figure', 'firm', 'flow'])
AND ($6::text IS NULL OR kind = $6)
