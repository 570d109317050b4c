-- name: append
-- Append commands; see migrations/0020_log.sql.
SELECT command, outcome, first_position, subject, expected, actual
FROM log.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: take_time
-- Begin a transaction that appends several pages without a time limit; see log.append.
SET LOCAL transaction_timeout = '1d';
