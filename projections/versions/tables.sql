-- name: create_tables
-- Names are unqualified: the search path says whether these are the live tables or the next ones.
CREATE TABLE versions (
    entity      text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    commodity   text COLLATE "C",            -- of a figure
    period      integer,                     -- of a figure
    commodities jsonb NOT NULL,              -- lists of words; arrays take longer to send
    places      jsonb NOT NULL,
    category    text COLLATE "C",            -- a figure's statistic, a control's direction, …
    title       text COLLATE "C",            -- the words of its title, to be ordered by
    said        text COLLATE "C",            -- the words that a search finds it by
    document    text COLLATE "C",            -- the key of its row in documents
    dated       daterange,                   -- the days on which it may have been announced, founded, …
    sources     jsonb,                       -- its publishers, when they published, how it was checked,
                                             -- and whether the fact is primary and verified; a
                                             -- figure's claims begin with theirs, and have a position.
                                             -- Those of a state with long lists are with its elements
    clauses     jsonb NOT NULL,              -- what lists narrow by inside a control
    first_day   date NOT NULL,               -- the days on which the state holds,
    last_day    date NOT NULL,               -- of which this is one too
    since       bigint NOT NULL,             -- the positions at which the log says so,
    until       bigint NOT NULL,             -- of which this is none any more; while it still says so,
                                             -- the largest of all numbers: see OPEN_POSITION in rows.py
    generation  bigint NOT NULL,             -- the position at which all rows of the entity that were
                                             -- open were closed and written anew, the last time; or 0
    newest_fact     date,                    -- from which day the last fact behind the state counts,
    newest_position bigint,                  -- and its position
    state       text NOT NULL                -- the state as JSON; these bytes are what digests hash, once
                                             -- long lists are put in: see "whole_state" in as_of.sql
);
CREATE TABLE elements (         -- of the long lists of states, each once
    entity    text COLLATE "C" NOT NULL,
    list      smallint NOT NULL,              -- which list of a state, from 1 on
    place     text COLLATE "C" NOT NULL,      -- what it is ordered by in the list
    first_day date NOT NULL,                  -- the days on which it is in it, and the positions at which the
    last_day  date NOT NULL,                  -- log says so, as of versions
    since     bigint NOT NULL,
    until     bigint NOT NULL,
    text      text NOT NULL,                  -- the element as JSON
    source    jsonb                           -- what "sources" in versions has of it
);
-- The planner need not know what is only read, or asked about row by row.
ALTER TABLE versions ALTER title SET STATISTICS 0, ALTER said SET STATISTICS 0,
    ALTER document SET STATISTICS 0, ALTER sources SET STATISTICS 0, ALTER clauses SET STATISTICS 0, ALTER state SET STATISTICS 0;
CREATE TABLE subjects (         -- which entities were ever about a word
    kind      text COLLATE "C" NOT NULL,
    word      text COLLATE "C" NOT NULL,      -- '' for every entity of the kind
    entity    text COLLATE "C" NOT NULL,
    since     bigint NOT NULL,                -- the position at which it first was
    first_day date NOT NULL                   -- the first day on which it ever was, at any position
);
CREATE TABLE documents (        -- by what a search finds and ranks entities: all that a state of one says
    kind   text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    key    text COLLATE "C" NOT NULL,         -- follows from its words
    vector tsvector NOT NULL                  -- the words with their weights; see search_document.py
);
CREATE TABLE event_words (      -- by what a search finds events, but those of figures
    position bigint NOT NULL,
    vector   tsvector NOT NULL                -- see event_words.py
);
CREATE TABLE vocabulary (       -- the words of documents, by which misspelt ones are corrected
    word     text COLLATE "C" PRIMARY KEY,    -- a rebuild too meets a word again and again
    since    bigint NOT NULL,                 -- the first position at which a document had it
    trigrams text[] COLLATE "C" NOT NULL
);
CREATE TABLE texts (            -- what entities ever said
    kind   text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    said   text COLLATE "C" NOT NULL
);

CREATE TABLE facts (            -- the facts that are not retracted
    position        bigint NOT NULL,          -- of the event
    entity          text COLLATE "C" NOT NULL,
    kind            text COLLATE "C" NOT NULL,
    type            text COLLATE "C" NOT NULL,
    publishers      text[] COLLATE "C" NOT NULL,  -- of its sources, the first one first
    edition         text COLLATE "C",         -- of a claim
    edition_version text COLLATE "C",
    public_on       date NOT NULL,            -- the day from which it counts
    since           bigint NOT NULL,          -- the positions at which it counts, as of versions
    until           bigint NOT NULL
);
CREATE TABLE fact_sums (        -- how many more facts count behind a block of positions than before it
    block           bigint NOT NULL,          -- see fact_sums.py
    kind            text COLLATE "C" NOT NULL,
    publishers      text[] COLLATE "C" NOT NULL,
    edition         text COLLATE "C" NOT NULL,    -- '' where there is none
    edition_version text COLLATE "C" NOT NULL,
    public_on       date NOT NULL,
    facet           text COLLATE "C" NOT NULL,    -- what of a claim the word is, or '' for the facts themselves
    word            text COLLATE "C" NOT NULL,
    facts           bigint NOT NULL,
    PRIMARY KEY (block, kind, facet, public_on, word, edition, edition_version, publishers)
);

-- name: create_version_indexes
-- The cost of as-of reads does not grow with history: a list walks the entities that were ever about its
-- words by then, and each is looked up in one generation of its rows, which has few that begin on the
-- same day (see entity_rows.py, and "version" in as_of.sql).
CREATE INDEX versions_as_of ON versions (entity, generation, first_day, since);
-- Those of a moment, and the one to be closed.
CREATE INDEX elements_key ON elements (entity, until, list, place);
-- What turns between two days; see changes.sql and transitions.sql.
CREATE INDEX versions_begin ON versions (kind, first_day);

-- Facts in the order of their days, and those of an entity.
CREATE INDEX facts_by_day ON facts (public_on, position);
CREATE INDEX facts_of_entity ON facts (entity, position);
-- Those that begin to count in a block, or end; and the first and the last of an edition.
CREATE INDEX facts_since ON facts (since);
CREATE INDEX facts_until ON facts (until) WHERE until < 9223372036854775807;
CREATE INDEX facts_of_edition ON facts (edition, position) WHERE edition IS NOT NULL;

-- name: create_search_indexes
CREATE UNIQUE INDEX subjects_key ON subjects (word, kind, entity) INCLUDE (since, first_day);
-- Those of days on which little was known; see early_days.py.
CREATE INDEX subjects_by_day ON subjects ((kind || ' ' || word), first_day);
-- A text may be longer than an index takes. Words are found as they are written, and by their stem.
CREATE UNIQUE INDEX texts_key ON texts (entity, md5(said));
CREATE INDEX texts_words ON texts
    USING gin ((to_tsvector('simple', said) || to_tsvector('english', said)));

-- name: create_document_indexes
-- Without lists of what is still to be indexed: a search would read them whole.
CREATE UNIQUE INDEX documents_key ON documents (entity, key);
CREATE INDEX documents_vector ON documents USING gin (vector) WITH (fastupdate = off);
CREATE INDEX event_words_vector ON event_words USING gin (vector) WITH (fastupdate = off);
CREATE INDEX vocabulary_trigrams ON vocabulary USING gin (trigrams) WITH (fastupdate = off);
