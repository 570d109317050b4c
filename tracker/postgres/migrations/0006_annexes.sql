-- Texts that a law may one day force out stand beside the log. An entry commits to each of its own by
-- a salted hash (see docs/redaction.md); a row opens that commitment, or says which event redacted it.
CREATE TABLE log.annexes (
    commitment bytea PRIMARY KEY CHECK (octet_length(commitment) = 32),
    position   bigint NOT NULL,             -- of the event
    field      text COLLATE "C" NOT NULL,   -- where in its data: a JSON Pointer
    salt       bytea CHECK (octet_length(salt) = 32),
    text       text,
    redaction  bigint,                      -- the position of the event because of which it is gone
    UNIQUE (position, field),
    CHECK ((text IS NULL) = (redaction IS NOT NULL) AND (salt IS NULL) = (text IS NULL))
);

GRANT SELECT ON log.annexes TO tracker_api;

-- Nothing is ever taken out of annexes, or changed, except that a text goes because the log says so: an
-- event that is there, in the same transaction or before, names the field of the event.
CREATE FUNCTION log.refuse_annex_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_LEVEL = 'ROW' THEN
        IF NEW.text IS NULL AND OLD.redaction IS NULL
           AND (NEW.commitment, NEW.position, NEW.field) = (OLD.commitment, OLD.position, OLD.field)
           AND EXISTS (SELECT FROM log.events e
                       WHERE e.position = NEW.redaction AND e.type = 'Redaction.Redacted'
                         AND e.stream = 'redaction/' || OLD.position
                         AND convert_from(e.entry, 'UTF8')::jsonb -> 'data' -> 'fields' ? OLD.field)
        THEN RETURN NEW; END IF;
    END IF;
    RAISE EXCEPTION '% on log.annexes is refused: a text goes by a redaction only', TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'See docs/redaction.md.';
END $$;

CREATE TRIGGER annexes_stay BEFORE DELETE OR TRUNCATE ON log.annexes
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_annex_change();
CREATE TRIGGER annexes_never_change BEFORE UPDATE ON log.annexes
    FOR EACH ROW EXECUTE FUNCTION log.refuse_annex_change();
ALTER TABLE log.annexes ENABLE ALWAYS TRIGGER annexes_stay;
ALTER TABLE log.annexes ENABLE ALWAYS TRIGGER annexes_never_change;

-- A redaction is one act with its event: whoever records that texts are gone makes them go, and nobody
-- can do one without the other. Where an annex is not here (as in a log that was restored without it)
-- the row says at least why.
CREATE FUNCTION log.redact() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
    said jsonb := convert_from(NEW.entry, 'UTF8')::jsonb -> 'data';
BEGIN
    INSERT INTO log.annexes AS a (commitment, position, field, redaction)
    SELECT decode(split_part(c.commitment, ':', 2), 'hex'), e.position, f.field, NEW.position
    FROM log.events e, jsonb_array_elements_text(said -> 'fields') AS f (field),
         LATERAL (SELECT convert_from(e.entry, 'UTF8')::jsonb -> 'data'
                         #>> (string_to_array(substr(f.field, 2), '/') || 'commitment'::text)) AS c (commitment)
    WHERE e.event_id = said ->> 'redacts' AND NEW.stream = 'redaction/' || e.position
      AND c.commitment LIKE 'salted-sha256-v1:%'
    ON CONFLICT (position, field) DO UPDATE
        SET salt = NULL, text = NULL, redaction = excluded.redaction
        WHERE a.redaction IS NULL;
    RETURN NULL;
END $$;

CREATE TRIGGER redacted AFTER INSERT ON log.events
    FOR EACH ROW WHEN (NEW.type = 'Redaction.Redacted') EXECUTE FUNCTION log.redact();
ALTER TABLE log.events ENABLE ALWAYS TRIGGER redacted;

-- Keeps the annexes of the events a .. b of an append, of which the first is at the position after head.
CREATE FUNCTION log.keep(
    head bigint, a integer, b integer, annexed integer[], fields text[], salts bytea[], texts text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log.annexes (commitment, position, field, salt, text)
    SELECT sha256(n.salt || convert_to(n.text, 'UTF8')), head + n.event - a + 1, n.field, n.salt, n.text
    FROM unnest(annexed, fields, salts, texts) AS n (event, field, salt, text)
    WHERE n.event BETWEEN a AND b;
END $$;

DROP FUNCTION log.append(integer[], text[], text[], integer[], text[], text[], bytea[]);

-- As before (see 0003_append.sql), and keeps annexes beside their events: texts[n] belongs to the event
-- annexed[n] of the arrays. Callers of before give none.
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
CREATE FUNCTION log.append(
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

REVOKE EXECUTE ON FUNCTION log.append, log.keep, log.redact, log.refuse_annex_change FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.append TO tracker_api;
