-- Statements of branches: the recorded log up to a position, continued by events that are not recorded.

-- name: begin_tables
SET search_path TO pg_temp, public;
SET default_transaction_read_only TO off;

-- name: end_tables
-- The session writes nothing else.
ANALYZE;
RESET search_path;
RESET default_transaction_read_only;

-- name: create_events
-- Temporary tables for the events and texts of a branch.
CREATE TEMPORARY TABLE branch_events (LIKE log.events INCLUDING INDEXES);
CREATE TEMPORARY TABLE branch_annexes (LIKE log.annexes INCLUDING INDEXES);

-- name: add_events
INSERT INTO branch_events (position, event_id, stream, version, type, recorded_at, entry)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::timestamptz[], $7::bytea[]);

-- name: add_annexes
INSERT INTO branch_annexes (commitment, position, field, salt, text)
SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::bytea[], $5::text[]);

-- name: columns
-- The columns of some tables, in order.
SELECT attrelid::regclass::text AS source, array_agg(attname::text ORDER BY attnum) AS columns
FROM pg_attribute
WHERE attrelid = ANY ($1::text[]::regclass[]) AND attnum > 0 AND NOT attisdropped
GROUP BY attrelid;
