-- name: misplaced
-- The roles of some that the server lacks, and the owner of the log, if it is not the expected one.
SELECT array(SELECT name FROM unnest($1::text[]) AS name WHERE to_regrole(name) IS NULL) AS missing,
       (SELECT c.relowner::regrole::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'log' AND c.relname = 'events'
          AND c.relowner::regrole IS DISTINCT FROM to_regrole($2)) AS owner;

-- name: rights
-- Whether the login owns the database; the roles of some that it cannot create; and the existing roles of
-- them that it neither has with their rights nor can grant to itself.
SELECT quote_ident(rolname) AS login,
       (SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()) AS owns_database,
       array(SELECT name FROM unnest($1::text[]) AS name
             WHERE to_regrole(name) IS NULL AND NOT (rolsuper OR rolcreaterole)) AS uncreatable,
       array(SELECT name FROM unnest($1::text[]) AS name
             WHERE CASE WHEN pg_has_role(to_regrole(name), 'SET') THEN NOT pg_has_role(to_regrole(name), 'USAGE')
                        ELSE NOT (rolinherit AND pg_has_role(to_regrole(name), 'SET WITH ADMIN OPTION')) END
            ) AS ungranted
FROM pg_roles WHERE rolname = current_user;

-- name: lacking
-- The login, and the roles of some that it cannot take.
SELECT quote_ident(session_user) AS login,
       array(SELECT name FROM unnest($1::text[]) AS name
             WHERE NOT coalesce(pg_has_role(session_user, to_regrole(name), 'SET'), false)) AS roles;
