-- What a PostgreSQL needs before the tracker: roles, and two logins with no more rights than their task asks for.
-- Run by a superuser, in any database of the server; again before a release that needs more roles. What is there
-- stays, also passwords that are not given.
--
--   psql --set admin_password=… --set web_password=… --file roles.sql
--
-- docs/database.md says what each role may.

SELECT format('CREATE ROLE %I NOLOGIN', name)
FROM unnest(ARRAY['tracker_owner', 'tracker_projector', 'tracker_api', 'tracker_publisher', 'tracker_deliverer',
                  'tracker_watcher', 'tracker_mailer']) name
WHERE to_regrole(name) IS NULL \gexec
SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY['minerals_admin', 'web']) name
WHERE to_regrole(name) IS NULL \gexec

-- The administrator migrates: `tracker migrate`, `tracker token`. It owns the database and is not a superuser.
GRANT tracker_owner, tracker_projector, tracker_api, tracker_publisher, tracker_deliverer, tracker_watcher,
    tracker_mailer TO minerals_admin;
\if :{?admin_password}
ALTER ROLE minerals_admin PASSWORD :'admin_password';
\endif

-- The server serves: `tracker serve`.
GRANT tracker_api, tracker_projector, tracker_publisher, tracker_deliverer, tracker_watcher, tracker_mailer
    TO web;
\if :{?web_password}
ALTER ROLE web PASSWORD :'web_password';
\endif

SELECT 'CREATE DATABASE minerals OWNER minerals_admin'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'minerals') \gexec
REVOKE CONNECT ON DATABASE minerals FROM PUBLIC;
GRANT CONNECT ON DATABASE minerals TO web;
