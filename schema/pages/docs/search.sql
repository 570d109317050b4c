-- name: make_index
CREATE VIRTUAL TABLE sections USING fts5(
    title, heading, text, name UNINDEXED, tokenize = 'unicode61 remove_diacritics 0'
)

-- name: add_section
INSERT INTO sections (rowid, title, heading, text, name) VALUES (?, ?, ?, ?, ?)

-- name: find_sections
-- The sections that match, with an excerpt whose matches are marked. The document named by the second parameter
-- comes first, and the changelog last, because it mentions everything.
SELECT rowid, snippet(sections, 2, char(2), char(3), '…', 36)
FROM sections
WHERE sections MATCH ?
ORDER BY name = 'changelog', name = ? DESC, bm25(sections, 2, 4, 1), rowid
LIMIT 20
