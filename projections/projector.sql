-- name: take_turn
-- One projector at a time; whoever does not get the lock leaves the work to the one who has it.
SELECT pg_try_advisory_xact_lock(hashtextextended('projector', 0));

-- name: wait_turn
-- The same, waiting for it.
SELECT pg_advisory_xact_lock(hashtextextended('projector', 0));

-- name: tables_exist
-- Whether the live tables are there. (Not by to_regclass: its cache may be older than the lock that
-- this transaction has waited for.)
SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'projection' AND tablename = 'tracking');

-- name: fold
-- The code that made the rows.
SELECT fold FROM tracking WHERE projection = 'versions';

-- name: tracking
-- How far the projection has come, and by which code.
SELECT position, fold FROM tracking WHERE projection = 'versions';

-- name: position
-- How far the projection has come.
SELECT position FROM tracking WHERE projection = 'versions';

-- name: advance
-- It has come this far; all who answer from it get to know (see tracked.py).
WITH moved AS (
    UPDATE tracking SET position = $1 WHERE projection = 'versions' RETURNING position
)
SELECT pg_notify('projected', position::text) FROM moved;

-- name: replaced
-- Other tables are the live ones now.
SELECT pg_notify('projected', '');

-- name: close
-- Versions that no longer hold end at the position of the event that ended them; those that it began
-- are there already.
UPDATE versions v SET known = int8range(lower(v.known), c.position)
FROM unnest($1::text[], $2::date[], $3::bigint[]) AS c (entity, start, position)
WHERE v.entity = c.entity AND upper_inf(v.known) AND lower(v.valid) = c.start
  AND lower(v.known) < c.position;

-- name: add_subjects
-- What entities are about, where that is new.
INSERT INTO subjects (kind, word, entity, since)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
ON CONFLICT DO NOTHING;

-- name: add_texts
-- What entities say, where that is new.
INSERT INTO texts (kind, entity, said)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT DO NOTHING;
