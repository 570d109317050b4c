-- name: tiles
-- Tiles of the tree, by level, number and width. A tile that is not stored, such as one at the right edge,
-- is computed from the roots of the tiles below. At level 0 it is computed from the entries, and null here.
SELECT t.level, t.number, t.width, coalesce(
    (SELECT k.hashes FROM log.tiles k
     WHERE t.width = 256 AND k.level = t.level AND k.number = t.number),
    (SELECT string_agg(b.root, ''::bytea ORDER BY b.number)
     FROM log.tiles b
     WHERE b.level = t.level - 1
       AND b.number >= t.number * 256 AND b.number < t.number * 256 + t.width)) AS hashes
FROM unnest($1::integer[], $2::bigint[], $3::integer[]) AS t (level, number, width);

-- name: entries_of_tiles
-- The entries of tiles of level 0, by number and width, in any order: a sort would use the disk.
-- They are hashed in Python, because PostgreSQL takes ten times as long.
SELECT e.position, e.entry FROM unnest($1::bigint[], $2::integer[]) AS t (number, width)
JOIN log.events e ON e.position > t.number * 256 AND e.position <= t.number * 256 + t.width;

-- name: add_tiles
-- Insert tiles that have become complete.
INSERT INTO log.tiles (level, number, hashes, root)
SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[], $4::bytea[]);

-- name: complete
-- The number of stored complete tiles of entries.
SELECT coalesce(max(number) + 1, 0) FROM log.tiles WHERE level = 0;

-- name: entries
-- The entries of a tile, in order.
SELECT entry FROM log.events WHERE position > $1 AND position <= $2 ORDER BY position;

-- name: take_turn
-- Whether this process may publish: one at a time, until the end of the transaction, which has a time limit.
SELECT pg_try_advisory_xact_lock(hashtextextended('log.publish', 0)), set_config('transaction_timeout', $1, true);

-- name: last_checkpoint
-- The checkpoint of the whole log, with its cosignatures.
SELECT c.size, c.root, c.note || coalesce(
    (SELECT string_agg(w.signature || E'\n', '' ORDER BY w.witness)
     FROM log.cosignatures w WHERE w.size = c.size), '') AS note, c.signed_at
FROM log.checkpoints c ORDER BY c.size DESC LIMIT 1;

-- name: checkpoint
-- The checkpoint of a size, with its cosignatures.
SELECT c.size, c.root, c.note || coalesce(
    (SELECT string_agg(w.signature || E'\n', '' ORDER BY w.witness)
     FROM log.cosignatures w WHERE w.size = c.size), '') AS note, c.signed_at
FROM log.checkpoints c WHERE c.size = $1;

-- name: last_size
-- The size of the last checkpoint; null before the first.
SELECT max(size) FROM log.checkpoints;

-- name: add_checkpoint
-- Insert a signed head.
INSERT INTO log.checkpoints (size, root, note) VALUES ($1, $2, $3);

-- name: add_cosignatures
-- Insert cosignatures of a checkpoint; a repeated one is ignored.
INSERT INTO log.cosignatures (size, witness, signature)
SELECT $1, w.key, w.signature FROM unnest($2::text[], $3::text[]) AS w (key, signature)
ON CONFLICT DO NOTHING;

-- name: cosigned
-- The keys of the witnesses that have signed a checkpoint.
SELECT witness FROM log.cosignatures WHERE size = $1;
