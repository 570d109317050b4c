-- A database from before there were migrations has a slower function of this name.
DROP FUNCTION IF EXISTS log.append(integer[], text[], text[], integer[], text[], text[], bytea[]);

-- Writes events at the positions after `head`, and says whether each follows the event before it
-- in its stream. An event id or a version that is taken is a unique_violation.
CREATE FUNCTION log.write(
    head bigint, stamp timestamptz, event_ids text[], streams text[], versions integer[],
    types text[], attributes text[], data bytea[]
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    before text := '{"specversion":"1.0","position":"';
    after  text := '","time":"' || to_char(stamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                   || '",';
BEGIN
    INSERT INTO log.events (position, event_id, stream, version, type, recorded_at, entry)
    SELECT head + n.i, n.event_id, n.stream, n.version, n.type, stamp,
           convert_to(before || (head + n.i) || after || n.attributes || ',"data":', 'UTF8')
           || n.data || '}'::bytea
    FROM unnest(event_ids, streams, versions, types, attributes, data)
         WITH ORDINALITY AS n (event_id, stream, version, type, attributes, data, i);

    RETURN NOT EXISTS (
        SELECT FROM unnest(streams, versions) WITH ORDINALITY AS n (stream, version, i)
        WHERE n.version > 1 AND NOT EXISTS (
            SELECT FROM log.events e
            WHERE e.stream = n.stream AND e.version = n.version - 1 AND e.position < head + n.i));
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
--
-- Nearly always nobody is in anybody's way, and all commands are written at once. Where that fails
-- it is undone, and they are taken one by one.
CREATE FUNCTION log.append(
    starts integer[], event_ids text[], streams text[], versions integer[], types text[],
    attributes text[], data bytea[]
) RETURNS TABLE (command integer, outcome text, first_position bigint,
                 subject text, expected integer, actual integer)
LANGUAGE plpgsql SECURITY DEFINER
-- Plans are made once, often while the table is small, and must stay right when it has grown.
SET enable_seqscan = off SET search_path = pg_catalog AS $$
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

    BEGIN
        IF log.write(head, stamp, event_ids, streams, versions, types, attributes, data) THEN
            RETURN QUERY SELECT c::integer, 'appended', head + start, null::text, null::integer,
                                null::integer
                FROM unnest(starts) WITH ORDINALITY AS s (start, c);
            PERFORM pg_notify('log', (head + cardinality(event_ids))::text);
            RETURN;
        END IF;
        RAISE unique_violation;
    EXCEPTION WHEN unique_violation THEN NULL;
    END;

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

        PERFORM log.write(head, stamp, event_ids[a:b], streams[a:b], versions[a:b], types[a:b],
                          attributes[a:b], data[a:b]);
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

REVOKE EXECUTE ON FUNCTION log.append, log.write, log.refuse FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.append TO tracker_api;
