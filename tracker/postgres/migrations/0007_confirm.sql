-- Where PostgreSQL has synchronous standbys (`synchronous_standby_names`), a commit that wrote something
-- waits for them. What only finds that something is recorded already writes nothing and waits for nobody:
-- the answer would tell of what a failover may still take back. This writes a few bytes that mean nothing,
-- so that the commit waits until the standbys have all before it; without such standbys, nothing.
CREATE FUNCTION log.confirm() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('synchronous_standby_names') <> '' THEN
        PERFORM pg_logical_emit_message(true, 'tracker', '');
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION log.confirm FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.confirm TO tracker_api;

-- As before (see 0006_annexes.sql), but for two things. A command that is in the log already is confirmed
-- as a new one is. And whoever has got the lock loses it after 8 seconds (SILENCE_SECONDS in database.py),
-- also one that was stopped in the middle of sending; but for transactions with a limit of their own, such
-- as imports.
--
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
CREATE OR REPLACE FUNCTION log.append(
    starts integer[], event_ids text[], streams text[], versions integer[], types text[],
    attributes text[], data bytea[], annexed integer[] DEFAULT '{}', fields text[] DEFAULT '{}',
    salts bytea[] DEFAULT '{}', texts text[] DEFAULT '{}'
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
    IF current_setting('transaction_timeout') = '0' THEN
        PERFORM set_config('transaction_timeout', '8s', true);
    END IF;
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
        IF annexed <> '{}' THEN
            PERFORM log.keep(head, 1, cardinality(event_ids), annexed, fields, salts, texts);
        END IF;
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
            PERFORM log.confirm();
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
        IF annexed <> '{}' THEN
            PERFORM log.keep(head, a, b, annexed, fields, salts, texts);
        END IF;
        first_position := head + 1;
        head := head + b - a + 1;
        outcome := 'appended';
        RETURN NEXT;
    END LOOP;
END $$;
