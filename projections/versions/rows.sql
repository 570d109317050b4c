-- name: close_versions
-- Versions that no longer hold end at the position of the event that ended them; the versions that it
-- began exist already. OFFSET makes PostgreSQL look up each in its generation, instead of reading all that
-- begin on a day.
UPDATE versions SET until = ended.position
FROM (
    SELECT version.id, closed.position
    FROM unnest($1::text[], $2::date[], $3::bigint[], $4::bigint[])
        AS closed (entity, start, generation, position)
    CROSS JOIN LATERAL (
        SELECT ctid AS id FROM versions
        WHERE entity = closed.entity AND generation = closed.generation
          AND since < closed.position AND until = 9223372036854775807 AND first_day = closed.start
        OFFSET 0) AS version
) AS ended
WHERE ctid = ended.id;

-- name: close_elements
-- The same for elements of long lists.
UPDATE elements SET until = ended.position
FROM (
    SELECT element.id, closed.position
    FROM unnest($1::text[], $2::smallint[], $3::text[], $4::date[], $5::bigint[])
        AS closed (entity, list, place, start, position)
    CROSS JOIN LATERAL (
        SELECT ctid AS id FROM elements
        WHERE entity = closed.entity AND until = 9223372036854775807 AND list = closed.list
          AND place = closed.place AND first_day = closed.start AND since < closed.position
        OFFSET 0) AS element
) AS ended
WHERE ctid = ended.id;

-- name: add_elements
-- Elements of long lists, as versions.
INSERT INTO elements (entity, list, place, first_day, last_day, since, until, text, source)
SELECT c[1], c[2]::smallint, c[3], c[4]::date, c[5]::date, c[6]::bigint, c[7]::bigint, c[8], c[9]::jsonb
FROM unnest($1::text[]) AS line, string_to_array(line, E'\t', E'\x01') AS c;

-- name: add_versions
-- Rows as lines made in rows.py. Not by COPY: PostgreSQL waits for its end without a limit, and a client
-- that was stopped in the middle would keep its locks.
INSERT INTO versions (entity, kind, commodity, period, commodities, places, category, title, said, dated,
                      sources, clauses, first_day, last_day, since, until, generation,
                      newest_fact, newest_position, state)
SELECT c[1], c[2], c[3], c[4]::integer, c[5]::jsonb, c[6]::jsonb, c[7], c[8], c[9], c[10]::daterange,
       c[11]::jsonb, c[12]::jsonb, c[13]::date, c[14]::date, c[15]::bigint, c[16]::bigint, c[17]::bigint,
       c[18]::date, c[19]::bigint, c[20]
FROM unnest($1::text[]) AS line, string_to_array(line, E'\t', E'\x01') AS c;

-- name: add_subjects
-- Index words of new entities.
INSERT INTO subjects (kind, word, entity, since, first_day)
SELECT c[1], c[2], c[3], c[4]::bigint, c[5]::date
FROM unnest($1::text[]) AS line, string_to_array(line, E'\t') AS c;

-- name: add_more_subjects
-- New index words of other entities.
INSERT INTO subjects (kind, word, entity, since, first_day)
SELECT c[1], c[2], c[3], c[4]::bigint, c[5]::date
FROM unnest($1::text[]) AS line, string_to_array(line, E'\t') AS c
ON CONFLICT DO NOTHING;

-- name: lower_subjects
-- Existing index words with an earlier first day. OFFSET makes PostgreSQL look up each by its key. A
-- rebuild has none of these, nor the index that naming them would need.
UPDATE subjects SET first_day = lowered.first_day
FROM (
    SELECT subject.id, c[5]::date AS first_day
    FROM unnest($1::text[]) AS line, string_to_array(line, E'\t') AS c
    CROSS JOIN LATERAL (
        SELECT ctid AS id FROM subjects
        WHERE kind = c[1] AND word = c[2] AND entity = c[3] AND first_day > c[5]::date
        OFFSET 0) AS subject
) AS lowered
WHERE ctid = lowered.id;

-- name: add_texts
-- New texts of entities.
INSERT INTO texts (kind, entity, said)
SELECT c[1], c[2], c[3]
FROM unnest($1::text[]) AS line, string_to_array(line, E'\t') AS c
ON CONFLICT DO NOTHING;
