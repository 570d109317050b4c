-- name: create
-- Staging tables of a run's events before any of them is in the log. Temporary tables have no statistics,
-- and without them the planner would scan the whole table for every batch.
CREATE TEMPORARY TABLE staged (
    place      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id   text COLLATE "C" NOT NULL,
    stream     text COLLATE "C" NOT NULL,
    version    integer NOT NULL,
    type       text COLLATE "C" NOT NULL,
    attributes text NOT NULL,
    data       bytea NOT NULL,
    fields     text[] NOT NULL,  -- of its annexes, which are moved together with the event
    salts      bytea[] NOT NULL,
    texts      text[] NOT NULL
);
CREATE INDEX ON staged (stream);
CREATE TEMPORARY TABLE seen (event_id text COLLATE "C" PRIMARY KEY, line bigint NOT NULL);
SET enable_seqscan = off;

-- name: staged_of
-- The staged events of some streams, in order.
SELECT stream, version, event_id, type, data, fields, salts, texts FROM staged WHERE stream = ANY ($1) ORDER BY place;

-- name: append
-- Append a page of staged events, and return the result; `place` is that of its last event. Its events are
-- not sent to the client and back: a client that stops meanwhile would keep the log's lock.
WITH page AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY place)::integer AS number, staged.* FROM staged
    WHERE place > $1 ORDER BY place LIMIT $2
), annexes AS (
    SELECT number, a.* FROM page, unnest(fields, salts, texts) AS a (field, salt, text)
), columns AS (
    SELECT max(place) AS place, count(*)::integer AS count,
           array_agg(event_id ORDER BY number) AS event_ids, array_agg(stream ORDER BY number) AS streams,
           array_agg(version ORDER BY number) AS versions, array_agg(type ORDER BY number) AS types,
           array_agg(attributes ORDER BY number) AS attributes, array_agg(data ORDER BY number) AS data
    FROM page
), of_annexes AS (
    SELECT coalesce(array_agg(number), '{}') AS events, coalesce(array_agg(field), '{}') AS fields,
           coalesce(array_agg(salt), '{}') AS salts, coalesce(array_agg(text), '{}') AS texts
    FROM annexes
)
SELECT c.place, c.count, c.event_ids[1] AS event_id, a.outcome, a.first_position, a.subject, a.expected,
       a.actual
FROM columns c, of_annexes o, log.append(
    ARRAY[1], c.event_ids, c.streams, c.versions, c.types, c.attributes, c.data,
    o.events, o.fields, o.salts, o.texts) a;

-- name: seen
-- The first line of each of these ids.
SELECT event_id, line FROM seen WHERE event_id = ANY ($1);

-- name: see
-- Insert the lines of these ids.
INSERT INTO seen SELECT * FROM unnest($1::text[], $2::bigint[]) ON CONFLICT DO NOTHING;

-- name: streams_of_ids
-- The streams of the events with these ids in the log.
SELECT event_id, stream FROM log.events WHERE event_id = ANY ($1);

-- name: of_others
-- The events of these in the log with another actor. An accepted import counts as an import, although its
-- actor is a person.
SELECT event_id FROM log.events
WHERE event_id = ANY ($1) AND convert_from(entry, 'UTF8')::jsonb ->> 'actor' <> ALL ($2::text[])
  AND NOT coalesce(convert_from(entry, 'UTF8')::jsonb #> '{data,source}' ? 'reviewedBy', false);

-- name: not_seen
-- The facts of an earlier run (from one position up to another, exclusive) whose rows are missing
-- in this one. The number after `~` is that of the correction of a row.
SELECT e.event_id, e.stream FROM log.events e
WHERE e.position >= $1 AND e.position < $2 AND e.type NOT LIKE '%.Retracted'
  AND NOT EXISTS (SELECT FROM seen s WHERE s.event_id = split_part(e.event_id, '~', 1))
ORDER BY e.position;
