-- name: create
-- Where a run gathers its events before any of them is in the log. Temporary tables have no
-- statistics, and a planner without them would scan the whole for every batch.
CREATE TEMPORARY TABLE staged (
    place      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id   text COLLATE "C" NOT NULL,
    stream     text COLLATE "C" NOT NULL,
    version    integer NOT NULL,
    type       text COLLATE "C" NOT NULL,
    attributes text NOT NULL,
    data       bytea NOT NULL,
    fields     text[] NOT NULL,  -- of its annexes: they go where the event goes
    salts      bytea[] NOT NULL,
    texts      text[] NOT NULL
);
CREATE INDEX ON staged (stream);
CREATE TEMPORARY TABLE seen (event_id text COLLATE "C" PRIMARY KEY, line bigint NOT NULL);
SET enable_seqscan = off;

-- name: staged_of
-- The staged events of some streams, in order.
SELECT stream, version, event_id, type, data, fields, salts, texts FROM staged WHERE stream = ANY ($1) ORDER BY place;

-- name: page
-- A page of the staged events, in order.
SELECT place, event_id, stream, version, type, attributes, data, fields, salts, texts FROM staged
WHERE place > $1 ORDER BY place LIMIT $2;

-- name: seen
-- In which line each of these ids was first.
SELECT event_id, line FROM seen WHERE event_id = ANY ($1);

-- name: see
-- These ids are in these lines.
INSERT INTO seen SELECT * FROM unnest($1::text[], $2::bigint[]) ON CONFLICT DO NOTHING;

-- name: streams_of_ids
-- The streams of the events with these ids in the log.
SELECT event_id, stream FROM log.events WHERE event_id = ANY ($1);

-- name: of_others
-- Which of these events in the log have another actor.
SELECT event_id FROM log.events
WHERE event_id = ANY ($1) AND convert_from(entry, 'UTF8')::jsonb ->> 'actor' <> ALL ($2::text[]);

-- name: not_seen
-- The facts of an earlier run (from one position up to another, not included) whose rows were not
-- seen in this one. What follows `~` numbers the corrections of a row.
SELECT e.event_id, e.stream FROM log.events e
WHERE e.position >= $1 AND e.position < $2 AND e.type NOT LIKE '%.Retracted'
  AND NOT EXISTS (SELECT FROM seen s WHERE s.event_id = split_part(e.event_id, '~', 1))
ORDER BY e.position;
