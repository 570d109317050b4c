#!/bin/sh
# Creates the missing roles, logins and database, as the superuser; what is there stays.
set -eu
PGPASSWORD=$(cat /run/secrets/superuser_password)
export PGPASSWORD
psql --set ON_ERROR_STOP=1 --no-psqlrc --quiet << 'END'
\set admin_password `cat /run/secrets/admin_password`
\set web_password `cat /run/secrets/web_password`
\i /roles.sql
END
