-- name: create_tables
-- Names are unqualified: the search path selects the live tables or the next ones.
CREATE TABLE versions (
    entity      text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    commodity   text COLLATE "C",            -- of a figure
    period      integer,                     -- of a figure
    commodities jsonb NOT NULL,              -- lists of words; arrays take longer to send
    places      jsonb NOT NULL,
    category    text COLLATE "C",            -- a figure's statistic, a control's direction, …
    title       text COLLATE "C",            -- the words of its title, as sort key
    said        text COLLATE "C",            -- the words that a list search reads
    dated       daterange,                   -- the possible days of announcement, foundation, …
    sources     jsonb,                       -- publishers, publication days, method of checking,
                                             -- and whether the fact is primary, with its level. A
                                             -- figure's claims come first, and have a position.
                                             -- Elements of long lists have their own sources
    clauses     jsonb NOT NULL,              -- filter columns of a control's clauses
    first_day   date NOT NULL,               -- the days on which the state holds,
    last_day    date NOT NULL,               -- both inclusive
    since       bigint NOT NULL,             -- the first position of the row,
    until       bigint NOT NULL,             -- and the position that ends it, exclusive; for an open row
                                             -- the largest number: see OPEN_POSITION in rows.py
    generation  bigint NOT NULL,             -- the position at which all open rows of the entity were
                                             -- last closed and written again; or 0
    newest_fact     date,                    -- the effective day of the last fact behind the state,
    newest_position bigint,                  -- and its position
    state       text NOT NULL                -- the state as JSON; digests hash these bytes with the
                                             -- long lists inserted: see "whole_state" in versions.sql
);
CREATE TABLE elements (         -- distinct elements of the long lists of states
    entity    text COLLATE "C" NOT NULL,
    list      smallint NOT NULL,              -- number of the list in a state, from 1 on
    place     text COLLATE "C" NOT NULL,      -- sort key in the list
    first_day date NOT NULL,                  -- days and positions of the element, as in versions
    last_day  date NOT NULL,
    since     bigint NOT NULL,
    until     bigint NOT NULL,
    text      text NOT NULL,                  -- the element as JSON
    source    jsonb                           -- its part of "sources" in versions
);
-- The planner needs no statistics of columns that are only read, or filtered row by row.
ALTER TABLE versions ALTER title SET STATISTICS 0, ALTER said SET STATISTICS 0,
    ALTER sources SET STATISTICS 0, ALTER clauses SET STATISTICS 0, ALTER state SET STATISTICS 0;
CREATE TABLE subjects (         -- the entities that were ever about a word
    kind      text COLLATE "C" NOT NULL,
    word      text COLLATE "C" NOT NULL,      -- '' for every entity of the kind
    entity    text COLLATE "C" NOT NULL,
    since     bigint NOT NULL,                -- the first position
    first_day date NOT NULL                   -- the first day, at any position
);
CREATE TABLE texts (            -- texts of entities at any time
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
    product         text COLLATE "C",         -- of a claim on a figure: stage/form,
    years           text COLLATE "C",         -- the year, or the first and last year of an average,
    unit            text COLLATE "C",         -- and the unit of its quantity with its basis as JSON
    basis           text COLLATE "C",
    public_on       date NOT NULL,            -- the day from which it is effective
    since           bigint NOT NULL,          -- the positions at which it is effective, as in versions
    until           bigint NOT NULL
);
CREATE TABLE fact_sums (        -- net change of effective facts per block of positions
    block           bigint NOT NULL,          -- see fact_rows.py
    kind            text COLLATE "C" NOT NULL,
    publishers      text[] COLLATE "C" NOT NULL,
    edition         text COLLATE "C" NOT NULL,    -- '' without an edition
    edition_version text COLLATE "C" NOT NULL,
    public_on       date NOT NULL,
    facet           text COLLATE "C" NOT NULL,    -- the property of a claim, or '' for the facts themselves
    word            text COLLATE "C" NOT NULL,
    facts           bigint NOT NULL,
    PRIMARY KEY (block, kind, facet, public_on, word, edition, edition_version, publishers)
);

-- name: create_version_indexes
-- The cost of as-of reads does not grow with history. A list reads the entities that were ever about its
-- words by then. Each is looked up in one generation of its rows, which has few that begin on the same day
-- (see entity_rows.py, and "version" in as_of.sql).
CREATE INDEX versions_as_of ON versions (entity, generation, first_day, since);
-- The rows at a moment, and the row to close.
CREATE INDEX elements_key ON elements (entity, until, list, place);
-- Changes between two days; see changes.sql and transitions.sql.
CREATE INDEX versions_begin ON versions (kind, first_day);

-- Facts in day order, and the facts of an entity.
CREATE INDEX facts_by_day ON facts (public_on, position);
CREATE INDEX facts_of_entity ON facts (entity, position);
-- Facts that become or stop being effective in a block; and the first and last of an edition.
CREATE INDEX facts_since ON facts (since);
CREATE INDEX facts_until ON facts (until) WHERE until < 9223372036854775807;
CREATE INDEX facts_of_edition ON facts (edition, position) WHERE edition IS NOT NULL;

-- name: create_list_indexes
CREATE UNIQUE INDEX subjects_key ON subjects (word, kind, entity) INCLUDE (since, first_day);
-- Days with few records; see early_days.py.
CREATE INDEX subjects_by_day ON subjects ((kind || ' ' || word), first_day);
-- A text may be longer than an index entry. Words are found as written, and by their stem.
CREATE UNIQUE INDEX texts_key ON texts (entity, md5(said));
CREATE INDEX texts_words ON texts
    USING gin ((to_tsvector('simple', said) || to_tsvector('english', said)));
