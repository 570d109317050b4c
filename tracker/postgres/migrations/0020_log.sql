-- The log: one row per event. `entry` is the event: the same bytes are stored, delivered, hashed and
-- exported. The other columns repeat parts of it for indexes.
CREATE TABLE log.events (
    position    bigint PRIMARY KEY CHECK (position > 0),
    event_id    text COLLATE "C" NOT NULL UNIQUE,
    stream      text COLLATE "C" NOT NULL,
    version     integer NOT NULL CHECK (version > 0),
    type        text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    entry       bytea NOT NULL CHECK (octet_length(entry) <= 65535),
    UNIQUE (stream, version)
);
CREATE INDEX events_recorded_at ON log.events (recorded_at, position);
CREATE INDEX events_type ON log.events (type, position);

-- Events as JSON, for people at a psql prompt.
CREATE VIEW log.readable AS
SELECT position, recorded_at, stream, version, type, event_id, convert_from(entry, 'UTF8')::jsonb AS entry
FROM log.events;

-- Recorded events never change: not by the owner, not by replication, not by mistake.
CREATE FUNCTION log.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on log.events is refused: recorded events never change', TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Record a retraction instead.';
END $$;

CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON log.events
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();
ALTER TABLE log.events ENABLE ALWAYS TRIGGER events_never_change;

-- Annexes: texts that a law may one day force out stand beside the log. An entry commits to each of its
-- annexes by a salted hash (see docs/redaction.md). A row opens that commitment, or names the event
-- that redacted it.
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

-- Annexes never change, with one exception: a text goes if an event in the log, of the same transaction
-- or an earlier one, names its field.
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

-- A redaction and its event are one act: recording the event removes the texts, and nothing else can.
-- If an annex is missing (the log was restored without it), its row still gives the reason.
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

-- Words of a text, for search in notes and quotations. They stand in no table but in an index over the
-- texts themselves: a redacted text is no longer found from the moment of its redaction.
--
-- Words are compared without capitals and accents, as written and by their English stem. In scripts
-- without spaces each sign is a word, as in projections/versions/search_document.py.
CREATE FUNCTION log.words_of(text text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog
COST 10000  -- 100 µs a text: the planner is never to have it computed for all of them
AS $$
    SELECT to_tsvector('simple', plain) || to_tsvector('english', plain)
    FROM regexp_replace(normalize(text, NFKD) COLLATE pg_c_utf8, '[\u0300-\u036f]', '', 'g') AS letters,
         regexp_replace(replace(lower(letters), 'ß', 'ss'), '[^[:alnum:]]+', ' ', 'g') AS spaced,
         regexp_replace(spaced, '([\u3040-\u30ff\u3400-\u9fff])', ' \1 ', 'g') AS plain
$$;

-- fastupdate is off: a search would read the whole list of entries that are not indexed yet.
CREATE INDEX annexes_words ON log.annexes USING gin (log.words_of(text)) WITH (fastupdate = off)
    WHERE text IS NOT NULL;

-- Appending, in four functions and log.append, which calls them.

-- A stream whose new events do not continue from its last version; no row if all do.
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

-- Write events at the positions after `head`.
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

-- Write the annexes of the events a .. b of an append. The first of them is at the position after
-- `head`.
CREATE FUNCTION log.keep(
    head bigint, a integer, b integer, annexed integer[], fields text[], salts bytea[], texts text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log.annexes (commitment, position, field, salt, text)
    SELECT sha256(n.salt || convert_to(n.text, 'UTF8')), head + n.event - a + 1, n.field, n.salt, n.text
    FROM unnest(annexed, fields, salts, texts) AS n (event, field, salt, text)
    WHERE n.event BETWEEN a AND b;
END $$;

-- Wait for the synchronous standbys (`synchronous_standby_names`), if PostgreSQL has any. A commit that
-- wrote something waits for them. A transaction that only finds an earlier record writes nothing and
-- would not wait: its answer could report an event that a failover still loses. This message without
-- meaning makes the commit wait.
CREATE FUNCTION log.confirm() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('synchronous_standby_names') <> '' THEN
        PERFORM pg_logical_emit_message(true, 'tracker', '');
    END IF;
END $$;

-- Append commands in one transaction, each completely or not at all, and return the outcome of each.
--
-- Command c has the events starts[c] .. starts[c+1]-1 of the arrays. texts[n] is an annex of event
-- annexed[n]. Outcomes:
--   appended   its events have consecutive positions from first_position on
--   repeated   all its event ids were in the log already, with the same data: nothing was done
--   reused     an event id is in the log with other data, or only some of the ids are
--   conflict   a stream is at another version (actual) than its events expect (expected)
--
-- All events of one transaction have one `recorded_at`. It is later than that of any earlier position,
-- even if the clock went back. So the state at the moment of an event never changes, and no moment lies
-- between two events of one command or import.
--
-- The advisory lock is held until commit: positions are gapless and commit in order, and after position
-- n no reader sees a smaller one appear. The holder of the lock loses it after 8 seconds, also if its
-- client stopped while sending (SILENCE_TIMEOUT_SECONDS). Transactions with a limit of their own, such
-- as imports, keep theirs.
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

REVOKE EXECUTE ON FUNCTION log.refuse, log.refuse_annex_change, log.redact, log.misfit, log.write, log.keep,
    log.confirm, log.append FROM PUBLIC;

GRANT SELECT ON log.events TO tracker_api, tracker_projector, tracker_publisher, tracker_deliverer, tracker_watcher;
GRANT SELECT ON log.readable TO tracker_api, tracker_projector;
GRANT SELECT ON log.annexes TO tracker_api, tracker_watcher;
GRANT EXECUTE ON FUNCTION log.append TO tracker_api, tracker_watcher;
GRANT EXECUTE ON FUNCTION log.confirm TO tracker_api, tracker_watcher;
GRANT EXECUTE ON FUNCTION log.confirm TO tracker_deliverer;  -- only durable events are sent
GRANT EXECUTE ON FUNCTION log.words_of TO tracker_watcher;  -- for the vectors of candidates
