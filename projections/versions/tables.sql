-- name: create_tables
-- Names are unqualified: the search path says whether these are the live tables or the next ones.
CREATE TABLE IF NOT EXISTS versions (
    entity      text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    commodity   text COLLATE "C",            -- of a figure
    period      integer,                     -- of a figure
    commodities jsonb NOT NULL,              -- lists of words; arrays take longer to send
    places      jsonb NOT NULL,
    category    text COLLATE "C",            -- a figure's statistic, a control's direction, …
    title       text COLLATE "C",            -- the words of its title, to be ordered by
    said        text COLLATE "C",            -- the words that a search finds it by
    dated       daterange,                   -- the days on which it may have been announced, founded, …
    sources     jsonb NOT NULL,              -- its publishers, when they published, whether verified; a
                                             -- figure's claims begin with theirs, and have a position
    clauses     jsonb NOT NULL,              -- what lists narrow by inside a control
    first_day   date NOT NULL,               -- the days on which the state holds,
    last_day    date NOT NULL,               -- of which this is one too
    since       bigint NOT NULL,             -- the positions at which the log says so,
    until       bigint NOT NULL,             -- of which this is none any more; while it still says so,
                                             -- the largest of all numbers: see STILL in rows.py
    generation  bigint NOT NULL,             -- the position at which all rows of the entity that were
                                             -- open were closed and written anew, the last time; or 0
    state       text NOT NULL                -- the state as JSON; these bytes are what digests hash
);
-- The planner need not know what is only read, or asked about row by row.
ALTER TABLE versions ALTER title SET STATISTICS 0, ALTER said SET STATISTICS 0,
    ALTER sources SET STATISTICS 0, ALTER clauses SET STATISTICS 0, ALTER state SET STATISTICS 0;
CREATE TABLE IF NOT EXISTS subjects (         -- which entities were ever about a word
    kind   text COLLATE "C" NOT NULL,
    word   text COLLATE "C" NOT NULL,         -- '' for every entity of the kind
    entity text COLLATE "C" NOT NULL,
    since  bigint NOT NULL                    -- the position at which it first was
);
CREATE TABLE IF NOT EXISTS texts (            -- what entities ever said
    kind   text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    said   text COLLATE "C" NOT NULL
);
CREATE TABLE IF NOT EXISTS tracking (
    projection text PRIMARY KEY,
    position   bigint NOT NULL,
    fold       text NOT NULL                 -- the code that made the rows; other code makes others
);

-- name: begin_tracking
-- A new projection is at position 0.
INSERT INTO tracking (projection, position, fold) VALUES ('versions', 0, $1)
ON CONFLICT DO NOTHING;

-- name: create_version_indexes
-- The cost of as-of reads does not grow with history: a list walks the entities that were ever about its
-- words by then, and each is looked up in one generation of its rows, which has few that begin on the
-- same day (see timeline.py, and "version" in as_of.sql).
CREATE INDEX IF NOT EXISTS versions_as_of ON versions (entity, generation, first_day, since);
-- What turns between two days; see changes.sql.
CREATE INDEX IF NOT EXISTS versions_begin ON versions (first_day);

-- name: create_finding_indexes
CREATE UNIQUE INDEX IF NOT EXISTS subjects_key ON subjects (word, kind, entity) INCLUDE (since);
-- A text may be longer than an index takes. Words are found as they are written, and by their stem.
CREATE UNIQUE INDEX IF NOT EXISTS texts_key ON texts (entity, md5(said));
CREATE INDEX IF NOT EXISTS texts_words ON texts
    USING gin ((to_tsvector('simple', said) || to_tsvector('english', said)));

-- name: drop_tables
-- What a rebuild before this one has left.
DROP TABLE IF EXISTS texts, subjects, versions, tracking;

-- name: replace_live
-- The tables that a rebuild has made take the place of the live ones, which are locked in the order
-- in which questions lock them: any other could end in a deadlock with one. Those of an earlier
-- release may lack one.
DROP TABLE IF EXISTS projection.texts, projection.subjects, projection.versions, projection.tracking;
ALTER TABLE projection_next.texts SET SCHEMA projection;
ALTER TABLE projection_next.subjects SET SCHEMA projection;
ALTER TABLE projection_next.versions SET SCHEMA projection;
ALTER TABLE projection_next.tracking SET SCHEMA projection;
