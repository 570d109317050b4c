-- name: hold_tables
-- Prevent the replacement of these tables until the transaction ends, without blocking queries. A page of
-- a long stream may exceed the usual idle timeout. A frozen process delays a rebuild.
SET LOCAL idle_in_transaction_session_timeout = '60s';
LOCK TABLE documents, state_documents, texts, subjects, versions, elements, facts IN ACCESS SHARE MODE;

-- name: stream
-- The stream of an event.
SELECT stream FROM log.events WHERE position = $1;

-- name: version
-- The number of events of a stream.
SELECT max(version) FROM log.events WHERE stream = $1;

-- name: difference
-- The first entity in a range of names whose rows differ from some lines. The statement that adds rows to
-- the table defines the columns of a line.
WITH fresh ({columns}) AS (
    {select}
), stored AS (
    SELECT {columns} FROM {table} WHERE entity >= $2::text COLLATE "C" AND entity <= $3::text COLLATE "C"
)
SELECT min(entity COLLATE "C") FROM (
    (TABLE fresh EXCEPT ALL TABLE stored) UNION ALL (TABLE stored EXCEPT ALL TABLE fresh)
) AS different;
