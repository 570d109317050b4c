-- name: take_turn
-- Serialize the addition of candidates per source, so that superseding is correct.
SELECT pg_advisory_xact_lock(hashtextextended('review.candidates ' || $1, 0));

-- name: known
-- The last recorded event of each row under the id of its reader: the row itself, or a correction
-- (`~2`, `~3` …) of it by an import.
SELECT n.event_id, e.entry
FROM unnest($1::text[]) AS n (event_id)
CROSS JOIN LATERAL (
    SELECT k.entry FROM log.events k
    WHERE (k.event_id = n.event_id OR (k.event_id > n.event_id || '~' AND k.event_id < n.event_id || '~:'))
      AND k.type NOT LIKE '%.Retracted'
    ORDER BY k.position DESC LIMIT 1) e;

-- name: imported
-- The files of these that a reader has imported, by the SHA-256 in its receipts.
SELECT n.reader, n.sha256
FROM unnest($1::text[], $2::text[]) AS n (reader, sha256)
WHERE EXISTS (
    SELECT FROM log.events e
    WHERE e.type = 'Import.Recorded' AND position(convert_to(n.sha256, 'UTF8') IN e.entry) > 0
      AND convert_from(e.entry, 'UTF8')::jsonb #>> '{data,reader}' = n.reader
      AND convert_from(e.entry, 'UTF8')::jsonb #>> '{data,sha256}' = n.sha256);

-- name: add
-- Insert new findings as candidates; existing ones are unchanged.
INSERT INTO review.candidates (source, item, part, content_sha256, title, language, url, place, snapshot,
    published_on, number, reason, commodities, issuers, words, kind, stream, type, data, event_id, reader,
    file_name, settings, lead)
SELECT $1, n.item, n.part, decode(n.content, 'hex'), n.title, n.language, n.url, n.place,
       decode(n.snapshot, 'hex'), n.published_on, n.number, n.reason, n.commodities, n.issuers, n.words,
       n.kind, n.stream, n.type, n.data, n.event_id, n.reader, n.file_name, n.settings, n.lead
FROM jsonb_to_recordset($2::jsonb) AS n (
    item text, part text, content text, title text, language text, url text, place text, snapshot text,
    published_on date, number text, reason text, commodities text[], issuers text[], words text, kind text,
    stream text, type text, data jsonb, event_id text, reader text, file_name text, settings jsonb, lead text)
ON CONFLICT (source, item, content_sha256) DO NOTHING
RETURNING id;

-- name: revive
-- Return a superseded candidate to the queue if the publisher has restored its content.
WITH found AS (
    SELECT item, decode(content, 'hex') AS content
    FROM jsonb_to_recordset($2::jsonb) AS n (item text, content text)
), changed AS (
    UPDATE review.candidates c
    SET state = 'pending', revision = revision + 1, closed_at = NULL, superseded_by = NULL, accepted_by = '{}'
    FROM found f
    WHERE c.source = $1 AND c.item = f.item AND c.content_sha256 = f.content AND c.state = 'superseded'
    RETURNING c.id, c.revision)
INSERT INTO review.decisions (candidate, revision, actor, action, reason)
SELECT id, revision, $3, 'reopened', 'The publisher says so again' FROM changed
RETURNING candidate;

-- name: supersede
-- Supersede waiting candidates that differ from the publisher's present content.
WITH found AS (
    SELECT item, part, decode(content, 'hex') AS content
    FROM jsonb_to_recordset($2::jsonb) AS n (item text, part text, content text)
), changed AS (
    UPDATE review.candidates c
    SET state = 'superseded', revision = c.revision + 1, closed_at = clock_timestamp(),
        postponed_until = NULL, accepted_by = '{}',
        superseded_by = (SELECT id FROM review.candidates by
                         WHERE (by.source, by.item, by.content_sha256) = ($1, f.item, f.content))
    FROM found f
    WHERE c.source = $1 AND c.item = f.item AND c.state IN ('pending', 'postponed')
      AND (c.part = f.part AND c.content_sha256 <> f.content
           OR c.part = $4 AND f.part <> $4)
    RETURNING c.id, c.revision, c.superseded_by)
INSERT INTO review.decisions (candidate, revision, actor, action, reason, detail)
SELECT id, revision, $3, 'superseded', 'The publisher says otherwise now', superseded_by::text
FROM changed
RETURNING candidate;
