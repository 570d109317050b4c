-- The scope audit allowed what read allows: whoever may read the log may audit it. Tokens that have it
-- keep working, as tokens that read.
UPDATE log.tokens
SET scopes = ARRAY(SELECT DISTINCT unnest(array_replace(scopes, 'audit', 'read')))
WHERE 'audit' = ANY (scopes);

ALTER TABLE log.tokens DROP CONSTRAINT tokens_scopes_check;
ALTER TABLE log.tokens ADD CONSTRAINT tokens_scopes_check CHECK (
    cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'record', 'admin']);
