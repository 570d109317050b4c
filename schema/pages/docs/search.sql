-- name: make_index
CREATE VIRTUAL TABLE sections USING fts5(
    title, heading, text, name UNINDEXED, tokenize = 'unicode61 remove_diacritics 0'
)

-- name: add_section
INSERT INTO sections (rowid, title, heading, text, name) VALUES (?, ?, ?, ?, ?)

-- name: find_sections
-- The sections that match, with an excerpt whose matches are marked. The document named by the second parameter
-- comes first; the types of the schema and the changelog, which mention everything, come last.
SELECT rowid, snippet(sections, 2, char(2), char(3), '…', 36)
FROM sections
WHERE sections MATCH ?
ORDER BY name = ? COLLATE NOCASE DESC, name = 'changelog', name LIKE 'types/%', bm25(sections, 2, 4, 1), rowid
LIMIT 20
