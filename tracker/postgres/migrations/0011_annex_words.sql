-- The words of annexes, by which a search finds what notes and quotations say. They stand in no table
-- but in an index over the texts themselves, so that a text that is redacted is found no more from the
-- moment of its redaction on.
--
-- Words are compared without capitals and accents, and of scripts without spaces each sign is one: as
-- `words` in projections/versions/search_text.py has them. As written, and by their English stem.
CREATE FUNCTION log.words_of(text text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog
COST 10000  -- 100 µs a text: the planner is never to have it computed for all of them
AS $$
    SELECT to_tsvector('simple', plain) || to_tsvector('english', plain)
    FROM regexp_replace(normalize(text, NFKD) COLLATE pg_c_utf8, '[\u0300-\u036f]', '', 'g') AS letters,
         regexp_replace(replace(lower(letters), 'ß', 'ss'), '[^[:alnum:]]+', ' ', 'g') AS spaced,
         regexp_replace(spaced, '([\u3040-\u30ff\u3400-\u9fff])', ' \1 ', 'g') AS plain
$$;

-- Without a list of what is still to be indexed: a search would read it whole.
CREATE INDEX annexes_words ON log.annexes USING gin (log.words_of(text)) WITH (fastupdate = off)
    WHERE text IS NOT NULL;
