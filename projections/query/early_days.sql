-- Days with few records; see early_days.py.

-- name: early_end
-- The day by which more entities of a kind than a number ($3) were about a word, at any position.
SELECT first_day FROM subjects WHERE kind || ' ' || word = $1 || ' ' || $2
ORDER BY first_day OFFSET $3 LIMIT 1;
