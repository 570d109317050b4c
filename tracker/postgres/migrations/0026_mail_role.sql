-- The role of e-mail alerts, and their schema (docs/operating/mail.md). It applies as the login, like the
-- step of the other roles. The role has no rights on the log: digests are queried with the rights of readers.
DO $$
BEGIN
    IF to_regrole('tracker_mailer') IS NULL THEN
        BEGIN
            CREATE ROLE tracker_mailer NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'tracker_mailer', 'SET') THEN
        GRANT tracker_mailer TO CURRENT_USER;
    END IF;
END $$;

CREATE SCHEMA alerts AUTHORIZATION tracker_owner;
GRANT USAGE ON SCHEMA alerts TO tracker_api, tracker_mailer;
GRANT USAGE ON SCHEMA delivery TO tracker_mailer;  -- for the lease
