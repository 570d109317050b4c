-- Candidates: findings at publishers that wait until a person accepts or rejects them (docs/review.md).
-- They stand beside the log, not in it: a candidate is no fact before somebody accepts it. The watcher
-- adds candidates and supersedes those that their publisher changed. The API records the decisions of
-- people. Nobody deletes a candidate.
CREATE TABLE review.candidates (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source          text COLLATE "C" NOT NULL CHECK (source <> ''),  -- the key of the watched source
    item            text COLLATE "C" NOT NULL CHECK (length(item) BETWEEN 1 AND 200),
    part            text COLLATE "C" NOT NULL,    -- the finding within the item; a later one replaces it
    content_sha256  bytea NOT NULL CHECK (octet_length(content_sha256) = 32),  -- of the original finding
    found_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The place of the finding.
    title           text NOT NULL,
    language        text,
    url             text NOT NULL,
    place           text NOT NULL,
    snapshot        bytea CHECK (octet_length(snapshot) = 32),
    published_on    date,
    number          text,
    reason          text NOT NULL,
    -- For filters and search.
    commodities     text[] NOT NULL DEFAULT '{}',
    issuers         text[] NOT NULL DEFAULT '{}',
    words           text NOT NULL,
    vector          tsvector NOT NULL GENERATED ALWAYS AS (log.words_of(words)) STORED,
    -- The proposal. People may edit a fact, and turn a lead into one.
    kind            text COLLATE "C" NOT NULL,
    stream          text COLLATE "C",
    type            text COLLATE "C",
    data            jsonb,
    event_id        text COLLATE "C",             -- of its reader
    reader          text COLLATE "C",
    file_name       text,
    settings        jsonb,
    lead            text COLLATE "C",
    -- The state of the review.
    state           text COLLATE "C" NOT NULL DEFAULT 'pending',
    revision        integer NOT NULL DEFAULT 1 CHECK (revision > 0),
    assigned_to     text COLLATE "C",
    postponed_until date,
    accepted_by     text[] NOT NULL DEFAULT '{}',  -- of this content, in order
    accepting_at    timestamptz,
    position        bigint CHECK (position > 0),
    refusal         text,                          -- why an accepted candidate was not recorded
    closed_at       timestamptz,
    superseded_by   bigint REFERENCES review.candidates,
    UNIQUE (source, item, content_sha256),
    CHECK (CASE kind WHEN 'fact' THEN num_nulls(stream, type, data) = 0
                     WHEN 'import' THEN num_nulls(reader, file_name, settings, snapshot) = 0
                     WHEN 'lead' THEN lead IS NOT NULL ELSE false END),
    CHECK (state IN ('pending', 'postponed', 'accepting', 'accepted', 'rejected', 'superseded')),
    CHECK ((state = 'postponed') = (postponed_until IS NOT NULL)),
    CHECK ((state = 'accepting') = (accepting_at IS NOT NULL)),
    CHECK ((state = 'accepted') = (position IS NOT NULL)),
    CHECK ((state IN ('accepted', 'rejected', 'superseded')) = (closed_at IS NOT NULL))
);
CREATE INDEX candidates_state ON review.candidates (state, id);
CREATE INDEX candidates_published_on ON review.candidates (coalesce(published_on, DATE '1000-01-01'), id);
CREATE INDEX candidates_state_published_on
    ON review.candidates (state, coalesce(published_on, DATE '1000-01-01'), id);
CREATE INDEX candidates_source ON review.candidates (source, state, id);
CREATE INDEX candidates_kind ON review.candidates (kind, state, id);
CREATE INDEX candidates_assigned_to ON review.candidates (assigned_to, state, id)
    WHERE assigned_to IS NOT NULL;
CREATE INDEX candidates_accepting ON review.candidates (id) WHERE state = 'accepting';
CREATE INDEX candidates_postponed ON review.candidates (postponed_until) WHERE state = 'postponed';
CREATE INDEX candidates_snapshot ON review.candidates (snapshot) WHERE snapshot IS NOT NULL;
CREATE INDEX candidates_commodities ON review.candidates USING gin (commodities) WITH (fastupdate = off);
CREATE INDEX candidates_issuers ON review.candidates USING gin (issuers) WITH (fastupdate = off);
CREATE INDEX candidates_words ON review.candidates USING gin (vector) WITH (fastupdate = off);
-- Pending candidates by commodity and by issuer, for the counts on each page of the queue: the indexes
-- above also hold candidates with a decision. The condition on cardinality is in those queries alone:
-- without it the planner would use these indexes for other queries, such as a search for words, and
-- read them completely.
CREATE INDEX candidates_pending_commodities ON review.candidates USING gin (commodities)
    WITH (fastupdate = off) WHERE state = 'pending' AND cardinality(commodities) > 0;
CREATE INDEX candidates_pending_issuers ON review.candidates USING gin (issuers)
    WITH (fastupdate = off) WHERE state = 'pending' AND cardinality(issuers) > 0;

-- Decisions and other changes of candidates, with actor and reason.
CREATE TABLE review.decisions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    candidate  bigint NOT NULL REFERENCES review.candidates,
    revision   integer NOT NULL,                   -- of the candidate after this decision
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor      text NOT NULL,
    action     text COLLATE "C" NOT NULL CHECK (action IN (
        'assigned', 'edited', 'accepted', 'rejected', 'postponed', 'reopened', 'superseded', 'recorded',
        'refused')),
    reason     text,
    detail     text
);
CREATE INDEX decisions_candidate ON review.decisions (candidate, id);

CREATE FUNCTION review.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on review.% is refused: what was found and decided stays on record',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
REVOKE EXECUTE ON FUNCTION review.refuse_change FROM PUBLIC;
CREATE TRIGGER decisions_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON review.decisions
    FOR EACH STATEMENT EXECUTE FUNCTION review.refuse_change();
ALTER TABLE review.decisions ENABLE ALWAYS TRIGGER decisions_never_change;
CREATE TRIGGER candidates_stay BEFORE DELETE OR TRUNCATE ON review.candidates
    FOR EACH STATEMENT EXECUTE FUNCTION review.refuse_change();
ALTER TABLE review.candidates ENABLE ALWAYS TRIGGER candidates_stay;

-- If a law forces out a snapshot, the event also removes titles and texts of the candidates made from
-- it. Accepted candidates are in the log, and are redacted there.
CREATE FUNCTION review.redact() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
    UPDATE review.candidates c
    SET title = '(redacted)', words = '', revision = revision + 1,
        data = c.data - '{note,quotation}'::text[]
               || CASE WHEN c.data ? 'title' THEN '{"title": "(redacted)"}'::jsonb ELSE '{}' END
               || CASE WHEN c.data ? 'clauses' THEN jsonb_build_object('clauses', (
                      SELECT coalesce(jsonb_agg(CASE jsonb_typeof(clause) WHEN 'object' THEN clause - 'note'
                                                ELSE clause END), '[]')
                      FROM jsonb_array_elements(c.data -> 'clauses') AS clause)) ELSE '{}' END
    WHERE c.snapshot = decode(convert_from(NEW.entry, 'UTF8')::jsonb #>> '{data,sha256}', 'hex')
      AND c.state <> 'accepted';
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION review.redact FROM PUBLIC;
CREATE TRIGGER candidates_redacted AFTER INSERT ON log.events
    FOR EACH ROW WHEN (NEW.type = 'Source.SnapshotRedacted') EXECUTE FUNCTION review.redact();
ALTER TABLE log.events ENABLE ALWAYS TRIGGER candidates_redacted;

GRANT SELECT, INSERT ON review.candidates, review.decisions TO tracker_watcher;
GRANT UPDATE (state, revision, postponed_until, accepted_by, closed_at, superseded_by)
    ON review.candidates TO tracker_watcher;
GRANT SELECT, INSERT ON review.decisions TO tracker_api;
GRANT SELECT ON review.candidates TO tracker_api;
GRANT UPDATE (kind, stream, type, data, commodities, issuers, words, state, revision, assigned_to,
              postponed_until, accepted_by, accepting_at, position, refusal, closed_at)
    ON review.candidates TO tracker_api;
