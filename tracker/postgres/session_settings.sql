-- The values of settings as written by PostgreSQL, and the login, regardless of a role set since.
SELECT name, current_setting(name, true) AS value, rolname::text AS login, rolsuper AS superuser
FROM unnest($1::text[]) AS name, pg_roles
WHERE rolname = session_user;
