-- Tokens of callers. Only hashes are kept: whoever reads this table can call nobody's name.
-- A token that is revoked stays, so that the actors of old events can be explained.
CREATE TABLE log.tokens (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL CHECK (name <> ''),
    scopes     text[] NOT NULL CHECK (
        cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'record', 'audit', 'admin']),
    sha256     bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_on date,  -- the last day, UTC, on which it works
    revoked_at timestamptz
);

-- What a token allows, if it works now. The API can ask about one that it was given, and neither list
-- tokens nor make them.
CREATE FUNCTION log.token(given bytea) RETURNS TABLE (name text, scopes text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT t.name, t.scopes FROM log.tokens t
    WHERE t.sha256 = given AND t.revoked_at IS NULL
      AND (t.expires_on IS NULL OR (now() AT TIME ZONE 'UTC')::date <= t.expires_on)
$$;

REVOKE EXECUTE ON FUNCTION log.token FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.token TO tracker_api;
