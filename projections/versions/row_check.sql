-- name: hold_tables
-- Nothing takes the place of these tables until the transaction ends, and no query waits for it. A page of a
-- long stream may take longer than the usual limit of silence, and a process that froze holds up a rebuild.
SET LOCAL idle_in_transaction_session_timeout = '60s';
LOCK TABLE documents, texts, subjects, versions, elements, facts IN ACCESS SHARE MODE;

-- name: stream
-- The stream of an event.
SELECT stream FROM log.events WHERE position = $1;

-- name: version
-- How many events a stream has.
SELECT max(version) FROM log.events WHERE stream = $1;

-- name: difference
-- The first entity, of those from one name up to another, whose rows are not the ones in some lines. The
-- statement that adds rows to the table says how a line is read.
WITH fresh ({columns}) AS (
    {select}
), stored AS (
    SELECT {columns} FROM {table} WHERE entity >= $2::text COLLATE "C" AND entity <= $3::text COLLATE "C"
)
SELECT min(entity COLLATE "C") FROM (
    (TABLE fresh EXCEPT ALL TABLE stored) UNION ALL (TABLE stored EXCEPT ALL TABLE fresh)
) AS different;
