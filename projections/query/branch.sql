-- Statements of branches: the recorded log up to a position, continued by events that are not recorded.

-- name: begin
SET search_path TO pg_temp, public;
SET default_transaction_read_only TO off;

-- name: end
-- The session writes nothing else.
ANALYZE;
RESET search_path;
RESET default_transaction_read_only;

-- name: create_events
-- Temporary tables for the events and texts of a branch.
CREATE TEMPORARY TABLE events (LIKE log.events INCLUDING INDEXES);
CREATE TEMPORARY TABLE annexes (LIKE log.annexes INCLUDING INDEXES);

-- name: add_events
INSERT INTO events (position, event_id, stream, version, type, recorded_at, entry)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::timestamptz[], $7::bytea[]);

-- name: add_annexes
INSERT INTO annexes (commitment, position, field, salt, text)
SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::bytea[], $5::text[]);

-- name: views
-- Statements that make a view with the name of each table: its recorded rows up to a position ($1), in a block
-- ($2), without those of the touched entities ($3), and, if there are any ($4), the rows of the temporary table.
-- Rows that were closed after the position are open.
SELECT CASE WHEN $4::boolean THEN format('ALTER TABLE %1$I RENAME TO own_%1$s; ', name) ELSE '' END
    || format('CREATE TEMPORARY VIEW %I AS SELECT %s FROM %s WHERE %s', name, columns, source,
        replace(replace(replace(recorded, ':base', $1::bigint::text), ':block', $2::bigint::text),
            ':touched', quote_literal($3::text[])))
    || CASE WHEN $4::boolean THEN format(' UNION ALL SELECT %s FROM own_%s WHERE %s', names, name, replace(own, ':base', $1::bigint::text))
        ELSE '' END AS statement
FROM (
    SELECT name, format('%I.%I', schema, name) AS source,
        coalesce(recorded, 'since <= :base AND entity <> ALL (:touched)') AS recorded, own
    FROM (VALUES
        ('projection', 'versions', NULL, 'true'),
        ('projection', 'elements', NULL, 'true'),
        ('projection', 'facts', NULL, 'true'),
        ('projection', 'subjects', NULL, 'true'),
        ('projection', 'state_documents', NULL, 'true'),
        ('projection', 'fact_sums', 'block < :block', 'false'),
        ('projection', 'texts', 'true', 'true'),
        ('projection', 'documents', 'true', 'true'),
        ('projection', 'vocabulary', 'since <= :base', 'true'),
        ('projection', 'event_words', 'position <= :base', 'position > :base'),
        ('log', 'events', 'position <= :base', 'true'),
        ('log', 'annexes', 'position <= :base', 'true')
    ) AS named (schema, name, recorded, own)) AS source
CROSS JOIN LATERAL (
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS names,
        string_agg(CASE attname WHEN 'until'
            THEN format('CASE WHEN until > %s THEN 9223372036854775807 ELSE until END AS until', $1::bigint)
            ELSE quote_ident(attname) END, ', ' ORDER BY attnum) AS columns
    FROM pg_attribute WHERE attrelid = source::regclass AND attnum > 0 AND NOT attisdropped) AS attributes;
