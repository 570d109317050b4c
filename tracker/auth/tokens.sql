-- name: holder
-- The rights of a token, if it is valid now.
SELECT name, scopes FROM log.token($1);

-- name: create
-- Insert a new token.
INSERT INTO log.tokens (name, scopes, sha256, expires_on) VALUES ($1, $2, $3, $4) RETURNING id;

-- name: list
-- All tokens, including revoked ones.
SELECT id, name, scopes, created_at, expires_on, revoked_at FROM log.tokens ORDER BY id;

-- name: revoke
-- Revoke a token; a repeated revocation does not change its time.
UPDATE log.tokens SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING name;
