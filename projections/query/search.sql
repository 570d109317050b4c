-- Full-text search at a moment. Results have all of the words, each in the state (its document) or in a
-- note or quotation of an event: see search.py.

-- name: asked
-- The words of the search: exactly, and as a prefix of a word or by their stem.
(SELECT number, length(exactly) - 2 AS letters, to_tsquery('simple', exactly) AS exactly,
        to_tsquery('simple', begun) || to_tsquery('english', begun) AS begun
 FROM unnest($4::text[], $5::text[]) WITH ORDINALITY AS word (exactly, begun, number)) AS asked

-- name: annexes
-- The newest notes and quotations with a word, and their events. OFFSET makes PostgreSQL find them by
-- their words, and each event by its position, instead of reading all texts.
{asked}
CROSS JOIN LATERAL (
    SELECT position FROM log.annexes
    WHERE log.words_of(text) @@ asked.begun AND text IS NOT NULL AND position {until}
    ORDER BY position DESC
    LIMIT {most}) AS annex
CROSS JOIN LATERAL (
    SELECT stream FROM log.events WHERE position = annex.position OFFSET 0) AS event

-- name: entities_saying
-- The entities of some kinds that ever had each of the words by a position. Their newest document may lack
-- a word; the version at the moment decides.
SELECT entity FROM (
    SELECT asked.number, document.entity
    FROM {asked} JOIN documents AS document ON document.vector @@ asked.begun
    WHERE document.kind = ANY ($1::text[])
    UNION
    SELECT asked.number, event.stream
    FROM {annexes}
    WHERE split_part(event.stream, '/', 1) = ANY ($1::text[])
) AS saying
GROUP BY entity HAVING count(*) = cardinality($4::text[])

-- name: found
-- The entities with the words at the moment, and the weight of each word in the state. The weight is 0 if
-- only a note or quotation may have it.
SELECT version.entity, version.title, weights.each AS weights
FROM {versions}
LEFT JOIN state_documents AS of_state
    ON of_state.entity = version.entity AND of_state.first_day = version.first_day
       AND of_state.since = version.since
LEFT JOIN documents AS document ON document.entity = of_state.entity AND document.key = of_state.key
CROSS JOIN LATERAL (
    SELECT array_agg(
        CASE WHEN document.vector @@ asked.begun
             THEN (ts_rank({classes}, document.vector, asked.begun)
                   + ts_rank({classes}, document.vector, asked.exactly))
                  * CASE WHEN document.vector @@ asked.exactly
                              OR (asked.letters > {abbreviation} AND numnode(asked.exactly) = 1)
                         THEN 1 ELSE {begun} END
             ELSE 0 END
        ORDER BY number) AS each
    FROM {asked}) AS weights
WHERE ($6::text[] IS NULL OR version.commodities ?| $6) AND ($7::text[] IS NULL OR version.places ?| $7)
ORDER BY (SELECT sum(weight) FROM unnest(weights.each) AS weight) DESC, version.entity
LIMIT $8;

-- name: classes
-- Weights of the classes of words, from D to A.
'{0.1,0.2,0.5,1}'

-- name: annexes_saying
-- The events of some entities ($1) with the words in their notes and quotations, up to a position.
SELECT event.stream AS entity, asked.number, annex.position
FROM {annexes}
WHERE $2::date IS NOT NULL AND event.stream = ANY ($1::text[]);

-- name: figures_named
-- Figures with all of the words in their names, by prefixes or index words. Only the first ones of each
-- prefix or word are read, because a word may have millions.
SELECT found.entity FROM unnest({beginnings}::text[]) AS beginning CROSS JOIN LATERAL (
    SELECT entity FROM subjects
    WHERE kind = 'figure' AND word = '' AND entity >= beginning AND entity < beginning || '~'
      AND since <= $3::bigint{by_day} AND entity ~ ALL ({expressions}::text[])
    ORDER BY entity LIMIT {most}) AS found
UNION
SELECT found.entity FROM unnest({subjects}::text[]) AS about CROSS JOIN LATERAL (
    SELECT entity FROM subjects
    WHERE kind = 'figure' AND word = about
      AND since <= $3::bigint{by_day} AND entity ~ ALL ({expressions}::text[])
    ORDER BY entity LIMIT {most}) AS found

-- name: figures
-- The figures whose names have all of the words, each in one of several ways.
SELECT version.entity
FROM {versions}
WHERE ($6::text[] IS NULL OR version.commodities ?| $6) AND ($7::text[] IS NULL OR version.places ?| $7)
ORDER BY version.entity
LIMIT $8;

-- name: positions_saying
-- The events with each of the words: in the fact, or in a note or quotation.
SELECT position FROM (
    SELECT asked.number, said.position
    FROM {asked} JOIN event_words AS said ON said.vector @@ asked.begun
    UNION
    SELECT asked.number, annex.position
    FROM {annexes}
) AS saying
GROUP BY position HAVING count(*) = cardinality($4::text[])
UNION
SELECT event.position FROM ({figures}) AS figure
CROSS JOIN LATERAL (
    SELECT position FROM log.events WHERE stream = figure.entity OFFSET 0) AS event

-- name: event_positions
-- The newest events with the words, of some types ($8) and some streams ($9 to $11), between two
-- positions, both excluded ($2, $3), in order.
SELECT position FROM (
    SELECT position FROM ({positions}) AS said
    JOIN log.events AS event USING (position)
    WHERE position > $2::bigint AND position < $3::bigint
      AND ($8::text[] IS NULL OR event.type = ANY ($8))
      AND ($9::text[] IS NULL OR EXISTS (
          SELECT FROM unnest($9::text[], $10::text[], $11::bigint[]) AS about (low, high, since)
          WHERE event.stream >= low AND event.stream < high AND position >= since))
    ORDER BY position DESC
    LIMIT $12
) AS newest
ORDER BY position;

-- name: near_words
-- Of some words ($1, their trigrams as text $2) those that no word in the log begins with by a position,
-- with similar words, if any.
SELECT asked.word AS asked, near.word
FROM unnest($1::text[], $2::text[]) AS asked (word, trigrams)
LEFT JOIN LATERAL (
    SELECT word FROM vocabulary
    WHERE trigrams && asked.trigrams::text[] AND since <= $3::bigint
      AND length(word) BETWEEN length(asked.word) - 2 AND length(asked.word) + 2
    ORDER BY (SELECT count(*) FROM unnest(trigrams) AS one WHERE one = ANY (asked.trigrams::text[])) DESC,
             word
    LIMIT $4) AS near ON true
WHERE NOT EXISTS (
    SELECT FROM vocabulary
    WHERE word >= asked.word AND word < asked.word || U&'\+10FFFF' AND since <= $3::bigint);

-- name: stems
-- The English stems of words, null for those without one.
SELECT array_agg((ts_lexize('english_stem', word))[1] ORDER BY number)
FROM unnest($1::text[]) WITH ORDINALITY AS asked (word, number);
