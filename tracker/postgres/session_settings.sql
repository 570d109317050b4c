-- The values that settings have, as PostgreSQL writes them; and who has logged in, whatever role is taken since.
SELECT name, current_setting(name, true) AS value, rolname::text AS login, rolsuper AS superuser
FROM unnest($1::text[]) AS name, pg_roles
WHERE rolname = session_user;
