-- Access rights. None of these roles can log in. A login is a member of the roles that it needs, and the
-- tracker takes the role of each task (see docs/database.md).
--
--   tracker_owner      owns the log; only migrations and `tracker token` work as it
--   tracker_projector  owns the projection, which can be rebuilt from the log; reads the log
--   tracker_api        appends through log.append, and reads
--   tracker_publisher  reads the log; adds tiles, checkpoints and cosignatures
--   tracker_deliverer  reads the log and the keys of endpoints; writes the cursors of endpoints
--   tracker_watcher    reads the log and appends to it; adds snapshots and candidates
--
-- Roles belong to the whole server: another database may have created them, or may create them now.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tracker_owner', 'tracker_projector', 'tracker_api', 'tracker_publisher',
                                'tracker_deliverer', 'tracker_watcher'] LOOP
        IF to_regrole(name) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
        IF NOT pg_has_role(current_user, name, 'SET') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', name);
        END IF;
    END LOOP;
END $$;

CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public;

CREATE SCHEMA log AUTHORIZATION tracker_owner;
CREATE SCHEMA projection AUTHORIZATION tracker_projector;       -- the live tables
CREATE SCHEMA projection_next AUTHORIZATION tracker_projector;  -- the tables of a rebuild
CREATE SCHEMA delivery AUTHORIZATION tracker_owner;
CREATE SCHEMA watch AUTHORIZATION tracker_owner;
CREATE SCHEMA review AUTHORIZATION tracker_owner;

GRANT USAGE ON SCHEMA log TO tracker_projector, tracker_api, tracker_publisher, tracker_deliverer, tracker_watcher;
GRANT USAGE ON SCHEMA projection TO tracker_api;
GRANT USAGE ON SCHEMA delivery TO tracker_api, tracker_deliverer, tracker_watcher;
GRANT USAGE ON SCHEMA watch TO tracker_api, tracker_watcher;
GRANT USAGE ON SCHEMA review TO tracker_api, tracker_watcher;

-- The API may read every table that the projector creates, also in a rebuild.
ALTER DEFAULT PRIVILEGES FOR ROLE tracker_projector GRANT SELECT ON TABLES TO tracker_api;

SET LOCAL ROLE tracker_owner;

-- The applied steps.
CREATE TABLE log.migrations (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON log.migrations TO tracker_api, tracker_projector;

-- Tokens of callers, as hashes only: a reader of this table cannot impersonate anybody.
-- A revoked token stays, so that the actors of old events can be explained.
CREATE TABLE log.tokens (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL CHECK (name <> ''),
    scopes     text[] NOT NULL CHECK (
        cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'record', 'endpoint', 'review', 'admin']),
    sha256     bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_on date,  -- the last day, UTC, on which it works
    revoked_at timestamptz
);

-- The name and scopes of a token that works now. The API can look up a token that a caller sent. It can
-- neither list tokens nor create them.
CREATE FUNCTION log.token(given bytea) RETURNS TABLE (name text, scopes text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT t.name, t.scopes FROM log.tokens t
    WHERE t.sha256 = given AND t.revoked_at IS NULL
      AND (t.expires_on IS NULL OR (now() AT TIME ZONE 'UTC')::date <= t.expires_on)
$$;
REVOKE EXECUTE ON FUNCTION log.token FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.token TO tracker_api;
