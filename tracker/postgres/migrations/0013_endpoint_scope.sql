-- The scope endpoint allows to have events delivered: to add endpoints, and to manage those of one's own.
ALTER TABLE log.tokens DROP CONSTRAINT tokens_scopes_check;
ALTER TABLE log.tokens ADD CONSTRAINT tokens_scopes_check CHECK (
    cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'record', 'endpoint', 'admin']);
