-- A database from before there were migrations has a slower function of this name.
DROP FUNCTION IF EXISTS log.append(integer[], text[], text[], integer[], text[], text[], bytea[]);

-- A stream in which events do not go on from its last version; nothing where all do.
CREATE FUNCTION log.misfit(streams text[], versions integer[])
RETURNS TABLE (subject text, expected integer, actual integer) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT n.stream, n.before, coalesce(e.version, 0)
    FROM (SELECT DISTINCT s.stream, (s.version - row_number() OVER (
                     PARTITION BY s.stream ORDER BY s.i))::integer AS before
          FROM unnest(streams, versions) WITH ORDINALITY AS s (stream, version, i)) n
    LEFT JOIN LATERAL (SELECT max(v.version) AS version FROM log.events v
                       WHERE v.stream = n.stream) e ON true
    WHERE n.before <> coalesce(e.version, 0)
    LIMIT 1;
END $$;

-- Writes events at the positions after `head`.
CREATE FUNCTION log.write(
    head bigint, stamp timestamptz, event_ids text[], streams text[], versions integer[],
    types text[], attributes text[], data bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
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
    PERFORM pg_notify('log', (head + cardinality(event_ids))::text);
END $$;

-- Appends commands in one transaction, each wholly or not at all, and says how each one fared.
--
-- Command c holds the events starts[c] .. starts[c+1]-1 of the arrays. Outcomes:
--   appended   its events have consecutive positions from first_position on
--   repeated   all its event ids were in the log already, with the same data: nothing was done
--   reused     an event id is in the log with other data, or only some of the ids are
--   conflict   a stream is at another version (actual) than the one its events expect
-- All that one transaction appends has one `recorded_at`, later than that of any position before it
-- even where the clock has gone back: so what was known at the moment of an event never changes, and
-- no moment lies between two events of one command or import.
-- The advisory lock is held until commit, so positions are gapless, commit in their own order, and
-- a reader that has seen position n will never see a smaller one appear.
CREATE FUNCTION log.append(
    starts integer[], event_ids text[], streams text[], versions integer[], types text[],
    attributes text[], data bytea[]
) RETURNS TABLE (command integer, outcome text, first_position bigint,
                 subject text, expected integer, actual integer)
LANGUAGE plpgsql SECURITY DEFINER
-- Plans are made once, often while the table is small, and must stay right when it has grown.
SET enable_seqscan = off SET search_path = pg_catalog AS $$
DECLARE
    head  bigint;
    stamp timestamptz;
    mine  boolean;
    a     integer;
    b     integer;
    known integer;
    same  integer;
    ids   integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('log.append', 0));
    SELECT e.position, e.recorded_at, e.xmin = pg_current_xact_id_if_assigned()::xid
        INTO head, stamp, mine FROM log.events e ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    IF mine IS NOT TRUE THEN
        stamp := greatest(clock_timestamp(), stamp + interval '1 microsecond');
    END IF;

    -- Nearly always nobody is in anybody's way, and all commands are written at once.
    SELECT count(e.event_id), count(DISTINCT n.event_id) INTO known, ids
        FROM unnest(event_ids) AS n (event_id) LEFT JOIN log.events e ON e.event_id = n.event_id;
    PERFORM FROM log.misfit(streams, versions);
    IF known = 0 AND ids = cardinality(event_ids) AND NOT FOUND THEN
        PERFORM log.write(head, stamp, event_ids, streams, versions, types, attributes, data);
        RETURN QUERY SELECT s.c::integer, 'appended', head + s.start, NULL::text, NULL::integer,
                            NULL::integer
                     FROM unnest(starts) WITH ORDINALITY AS s (start, c);
        RETURN;
    END IF;

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

        SELECT m.* INTO subject, expected, actual FROM log.misfit(streams[a:b], versions[a:b]) m;
        IF FOUND THEN
            outcome := 'conflict';
            RETURN NEXT;
            CONTINUE;
        END IF;

        PERFORM log.write(head, stamp, event_ids[a:b], streams[a:b], versions[a:b], types[a:b],
                          attributes[a:b], data[a:b]);
        first_position := head + 1;
        head := head + b - a + 1;
        outcome := 'appended';
        RETURN NEXT;
    END LOOP;
END $$;

REVOKE EXECUTE ON FUNCTION log.append, log.misfit, log.write, log.refuse FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.append TO tracker_api;
