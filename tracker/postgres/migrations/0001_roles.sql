-- Who may do what. None of these roles can log in: a login is made a member of what it needs, and
-- the tracker takes the role of each task (see docs/database.md).
--
--   tracker_owner      owns the log; nobody works as it except these migrations
--   tracker_projector  owns the projection, which can be made anew from the log; reads the log
--   tracker_api        appends through log.append, and reads
--
-- Roles belong to the whole server: other databases of it may have made them already, or be making
-- them at this moment.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tracker_owner', 'tracker_projector', 'tracker_api'] LOOP
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

CREATE SCHEMA IF NOT EXISTS log;
CREATE SCHEMA IF NOT EXISTS projection;       -- the live tables
CREATE SCHEMA IF NOT EXISTS projection_next;  -- those that a rebuild makes
CREATE TABLE log.migrations (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- A database from before there were migrations has tables of its login's: they change hands.
DO $$
DECLARE
    command text;
BEGIN
    FOR command IN
        WITH wanted (schema, owner) AS (
            VALUES ('log', 'tracker_owner'), ('projection', 'tracker_projector'),
                   ('projection_next', 'tracker_projector'))
        SELECT format('ALTER SCHEMA %I OWNER TO %I', schema, owner) FROM wanted
        UNION ALL
        SELECT format('ALTER %s %s OWNER TO %I', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
                      c.oid::regclass, owner)
        FROM wanted JOIN pg_class c ON relnamespace = to_regnamespace(schema)
        WHERE relkind IN ('r', 'v')
        UNION ALL
        SELECT format('ALTER FUNCTION %s OWNER TO %I', p.oid::regprocedure, owner)
        FROM wanted JOIN pg_proc p ON pronamespace = to_regnamespace(schema)
    LOOP
        EXECUTE command;
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA log TO tracker_api, tracker_projector;
GRANT SELECT ON log.migrations TO tracker_api, tracker_projector;

-- Whatever the projector makes, and makes anew, the API may read.
GRANT USAGE ON SCHEMA projection TO tracker_api;
GRANT SELECT ON ALL TABLES IN SCHEMA projection TO tracker_api;
ALTER DEFAULT PRIVILEGES FOR ROLE tracker_projector GRANT SELECT ON TABLES TO tracker_api;
