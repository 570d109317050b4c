-- name: create_tables
-- Names are unqualified: the search path selects the live tables or the next ones.
CREATE TABLE documents (        -- all words of a state, by which a search finds and ranks entities
    kind   text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    key    text COLLATE "C" NOT NULL,         -- derived from its words
    vector tsvector NOT NULL                  -- the words with their weights; see document.py
);
CREATE TABLE state_documents (  -- the documents of states
    entity    text COLLATE "C" NOT NULL,
    first_day date NOT NULL,                  -- the first day and the first position of the state: a
    since     bigint NOT NULL,                -- row of versions
    key       text COLLATE "C" NOT NULL       -- of the document
);
CREATE TABLE event_words (      -- words by which a search finds events, except those of figures
    position bigint NOT NULL,
    vector   tsvector NOT NULL                -- see document.py
);
CREATE TABLE vocabulary (       -- the words of documents, for corrections of misspelt words
    word     text COLLATE "C" PRIMARY KEY,    -- a rebuild repeats words too
    since    bigint NOT NULL,                 -- the first position at which a document had it
    trigrams text[] COLLATE "C" NOT NULL
);

-- name: create_indexes
CREATE UNIQUE INDEX documents_key ON documents (entity, key);
CREATE INDEX state_documents_key ON state_documents (entity, first_day, since) INCLUDE (key);
-- With pending lists, which a page merges at its end: see "merge_pending".
CREATE INDEX documents_vector ON documents USING gin (vector);
CREATE INDEX event_words_vector ON event_words USING gin (vector);
CREATE INDEX vocabulary_trigrams ON vocabulary USING gin (trigrams);
