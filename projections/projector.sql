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
-- are there already. Each is looked up in its generation, which OFFSET sees to (all that begins on a
-- day would be read else).
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
