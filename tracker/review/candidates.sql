-- The queue for reading. A list has only the conditions of its filters: each is a part, whose argument
-- replaces `{}`. Two texts match partial indexes (migrations/0024_review.sql): pending candidates have no
-- argument, and lists are stated to be non-empty.

-- name: of_state
c.state = {}::text

-- name: of_pending
c.state = 'pending'

-- name: of_source
c.source = {}::text

-- name: of_kind
c.kind = {}::text

-- name: of_commodities
c.commodities && {}::text[] AND cardinality(c.commodities) > 0

-- name: of_issuer
c.issuers @> ARRAY[{}::text] AND cardinality(c.issuers) > 0

-- name: of_person
c.assigned_to = {}::text

-- name: unassigned
c.assigned_to IS NULL

-- name: of_words
c.vector @@ to_tsquery('simple', {}::text)

-- name: found
(c.id)

-- name: published
(coalesce(c.published_on, DATE '1000-01-01'), c.id)

-- name: page
SELECT {columns} FROM review.candidates c WHERE {conditions} ORDER BY {order} LIMIT {limit}

-- name: count
SELECT count(*) FROM review.candidates c WHERE {conditions}

-- name: counts
SELECT c.state, count(*) AS count FROM review.candidates c WHERE {conditions} GROUP BY c.state

-- name: by_ids
SELECT {columns} FROM review.candidates c WHERE c.id = ANY ($1::bigint[]);

-- name: decisions
-- The past actions on some candidates, newest first.
SELECT candidate, revision, decided_at, actor, action, reason, detail
FROM review.decisions WHERE candidate = ANY ($1::bigint[]) ORDER BY id DESC;

-- name: sources
-- The sources that have candidates.
WITH RECURSIVE found AS (
    (SELECT source FROM review.candidates ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT c.source FROM review.candidates c WHERE c.source > found.source ORDER BY c.source LIMIT 1)
    FROM found WHERE found.source IS NOT NULL)
SELECT source FROM found WHERE source IS NOT NULL;
