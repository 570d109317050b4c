-- name: holder
-- What a token allows, if it works now.
SELECT name, scopes FROM log.token($1);

-- name: create
-- Keep a new token.
INSERT INTO log.tokens (name, scopes, sha256, expires_on) VALUES ($1, $2, $3, $4) RETURNING id;

-- name: list
-- Every token there ever was.
SELECT id, name, scopes, created_at, expires_on, revoked_at FROM log.tokens ORDER BY id;

-- name: revoke
-- From now on a token does not work; revoked again, the first time stands.
UPDATE log.tokens SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING name;
