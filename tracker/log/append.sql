-- name: append
-- Append commands; see migrations/0020_log.sql.
SELECT command, outcome, first_position, subject, expected, actual
FROM log.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: take_time
-- A transaction that appends page after page, as long as it needs; see log.append.
SET LOCAL transaction_timeout = '1d';
