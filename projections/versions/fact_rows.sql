-- name: add_facts
-- Facts that are effective from a position on, one line each, as written in fact_rows.py.
INSERT INTO facts (position, entity, kind, type, publishers, edition, edition_version, product, years, unit,
                   basis, public_on, since, until)
SELECT c[1]::bigint, c[2], c[3], c[4], string_to_array(c[5], ' '), c[6], c[7], c[8], c[9], c[10],
       c[11], c[12]::date, c[13]::bigint, c[14]::bigint
FROM unnest($1::text[]) AS line, string_to_array(line, E'\t', E'\x01') AS c;

-- name: add_sums
-- Net changes of effective facts by block, one line each, as written in fact_rows.py.
INSERT INTO fact_sums AS before (block, kind, publishers, edition, edition_version, public_on, facet, word, facts)
SELECT c[1]::bigint, c[2], string_to_array(c[3], ' '), c[4], c[5], c[6]::date, c[7], c[8], c[9]::bigint
FROM unnest($1::text[]) AS line, string_to_array(line, E'\t') AS c
ON CONFLICT (block, kind, facet, public_on, word, edition, edition_version, publishers)
DO UPDATE SET facts = before.facts + excluded.facts;

-- name: close_facts
-- Facts that stop being effective end at the position of the retraction. OFFSET makes PostgreSQL look up
-- each in its entity.
UPDATE facts SET until = ended.at
FROM (
    SELECT fact.id, closed.at
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS closed (entity, position, at)
    CROSS JOIN LATERAL (
        SELECT ctid AS id FROM facts
        WHERE entity = closed.entity AND position = closed.position
          AND since < closed.at AND until = 9223372036854775807
        OFFSET 0) AS fact
) AS ended
WHERE ctid = ended.id;
