-- name: read
-- The entries of the next events of entities with words, with the number of all next events and the last
-- position. Names of the others begin with some text.
SELECT max(position) AS until, count(*) AS count,
       array_agg(entry ORDER BY position) FILTER (WHERE NOT stream ^@ ANY ($3::text[])) AS entries
FROM (SELECT position, stream, entry FROM log.events WHERE position > $1 ORDER BY position LIMIT $2) AS page;

-- name: add_state_documents
-- The documents of new states.
INSERT INTO state_documents (entity, first_day, since, key)
SELECT c[1], c[2]::date, c[3]::bigint, c[4]
FROM unnest($1::text[]) AS line, string_to_array(line, E'\t') AS c;

-- name: add_documents
-- New search documents of entities, with words as written and by their English stem.
INSERT INTO documents (kind, entity, key, vector)
SELECT c[1], c[2], c[3],
       setweight(to_tsvector('simple', c[4]) || to_tsvector('english', c[4]), 'A')
       || setweight(to_tsvector('simple', c[5]) || to_tsvector('english', c[5]), 'B')
       || setweight(to_tsvector('simple', c[6]) || to_tsvector('english', c[6]), 'C')
       || setweight(to_tsvector('simple', c[7]) || to_tsvector('english', c[7]), 'D')
FROM unnest($1::text[]) AS line, string_to_array(line, E'\t') AS c
ON CONFLICT DO NOTHING;

-- name: add_event_words
-- Search words of events.
INSERT INTO event_words (position, vector)
SELECT c[1]::bigint, to_tsvector('simple', c[2]) || to_tsvector('english', c[2])
FROM unnest($1::text[]) AS line, string_to_array(line, E'\t') AS c;

-- name: add_vocabulary
-- The words of documents, each with the first position that had it.
INSERT INTO vocabulary (word, since, trigrams)
SELECT c[1], c[2]::bigint, c[3]::text[]
FROM unnest($1::text[]) AS line, string_to_array(line, E'\t') AS c
ON CONFLICT (word) DO UPDATE SET since = excluded.since WHERE excluded.since < vocabulary.since;

-- name: merge_pending
-- Merge the new entries into the indexes, whose pending lists every search reads completely. This costs
-- less than to write each entry to its place. A rebuild has no indexes yet.
SELECT gin_clean_pending_list(index)
FROM unnest(ARRAY[to_regclass('documents_vector'), to_regclass('event_words_vector'),
                  to_regclass('vocabulary_trigrams')]) AS index
WHERE index IS NOT NULL;
