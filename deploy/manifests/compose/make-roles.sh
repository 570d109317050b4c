#!/bin/sh
# Run once by the image of PostgreSQL, when its data directory is new.
set -eu
psql --set ON_ERROR_STOP=1 --no-psqlrc --quiet --username "${POSTGRES_USER:-postgres}" << 'END'
\set admin_password `cat /run/secrets/admin_password`
\set web_password `cat /run/secrets/web_password`
\i /roles.sql
END
