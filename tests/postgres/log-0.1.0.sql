-- The log. Created once; every statement may run again on a database that has it already.

CREATE SCHEMA IF NOT EXISTS log;

-- One row an event. `entry` is the event: what is stored is what is delivered, hashed and exported.
-- The other columns repeat parts of it, so that they can be indexed.
CREATE TABLE IF NOT EXISTS log.events (
    position    bigint PRIMARY KEY CHECK (position > 0),
    event_id    text COLLATE "C" NOT NULL UNIQUE,
    stream      text COLLATE "C" NOT NULL,
    version     integer NOT NULL CHECK (version > 0),
    type        text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    entry       bytea NOT NULL CHECK (octet_length(entry) <= 65535),
    UNIQUE (stream, version)
);
CREATE INDEX IF NOT EXISTS events_recorded_at ON log.events (recorded_at, position);
CREATE INDEX IF NOT EXISTS events_type ON log.events (type, position);

-- The same for people at a psql prompt.
CREATE OR REPLACE VIEW log.readable AS
SELECT position, recorded_at, stream, version, type, event_id, convert_from(entry, 'UTF8')::jsonb AS entry
FROM log.events;

-- Nothing recorded is ever changed: not by the owner, not by a replica, not by mistake.
CREATE OR REPLACE FUNCTION log.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on log.events is refused: recorded events never change', TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Record a retraction instead.';
END $$;

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'events_never_change') THEN
        CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON log.events
            FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();
        ALTER TABLE log.events ENABLE ALWAYS TRIGGER events_never_change;
    END IF;
END $$;

-- Appends commands in one transaction, each wholly or not at all, and says how each one fared.
--
-- Command c holds the events starts[c] .. starts[c+1]-1 of the arrays. Outcomes:
--   appended   its events have consecutive positions from first_position on
--   repeated   all its event ids were in the log already, with the same data: nothing was done
--   reused     an event id is in the log with other data, or only some of the ids are
--   conflict   a stream is at another version (actual) than the one its events expect
-- The advisory lock is held until commit, so positions are gapless, commit in their own order, and
-- a reader that has seen position n will never see a smaller one appear.
CREATE OR REPLACE FUNCTION log.append(
    starts integer[], event_ids text[], streams text[], versions integer[], types text[],
    attributes text[], data bytea[]
) RETURNS TABLE (command integer, outcome text, first_position bigint,
                 subject text, expected integer, actual integer)
LANGUAGE plpgsql AS $$
DECLARE
    head    bigint;
    stamp   timestamptz;
    written boolean := false;
    a       integer;
    b       integer;
    known   integer;
    same    integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('log.append', 0));
    SELECT e.position, e.recorded_at INTO head, stamp
        FROM log.events e ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    stamp := greatest(clock_timestamp(), stamp);

    FOR c IN 1 .. cardinality(starts) LOOP
        a := starts[c];
        b := coalesce(starts[c + 1], cardinality(event_ids) + 1) - 1;
        command := c; first_position := NULL; subject := NULL; expected := NULL; actual := NULL;

        SELECT count(*), count(*) FILTER (
                   WHERE e.stream = n.stream AND e.type = n.type
                     AND substring(e.entry FROM octet_length(e.entry) - octet_length(n.data))
                         = n.data || '}'::bytea),
               min(e.position)
            INTO known, same, first_position
            FROM unnest(event_ids[a:b], streams[a:b], types[a:b], data[a:b])
                 AS n (event_id, stream, type, data)
            JOIN log.events e ON e.event_id = n.event_id;
        IF known > 0 THEN
            outcome := CASE WHEN same = b - a + 1 THEN 'repeated' ELSE 'reused' END;
            RETURN NEXT;
            CONTINUE;
        END IF;

        SELECT n.stream, n.first - 1, coalesce(e.version, 0) INTO subject, expected, actual
            FROM (SELECT s.stream, min(s.version) AS first
                  FROM unnest(streams[a:b], versions[a:b]) AS s (stream, version)
                  GROUP BY s.stream) n
            LEFT JOIN LATERAL (SELECT max(v.version) AS version FROM log.events v
                               WHERE v.stream = n.stream) e ON true
            WHERE n.first - 1 <> coalesce(e.version, 0)
            LIMIT 1;
        IF FOUND THEN
            outcome := 'conflict';
            RETURN NEXT;
            CONTINUE;
        END IF;

        INSERT INTO log.events (position, event_id, stream, version, type, recorded_at, entry)
        SELECT head + n.i, n.event_id, n.stream, n.version, n.type, stamp,
               convert_to(format('{"specversion":"1.0","position":"%s","time":"%s",', head + n.i,
                          to_char(stamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')), 'UTF8')
               || convert_to(n.attributes || ',"data":', 'UTF8') || n.data || '}'::bytea
            FROM unnest(event_ids[a:b], streams[a:b], versions[a:b], types[a:b],
                        attributes[a:b], data[a:b])
                 WITH ORDINALITY AS n (event_id, stream, version, type, attributes, data, i);
        first_position := head + 1;
        head := head + b - a + 1;
        written := true;
        outcome := 'appended';
        RETURN NEXT;
    END LOOP;

    IF written THEN
        PERFORM pg_notify('log', head::text);
    END IF;
END $$;
