-- The login of a connection pooler, which passes no settings on: it has from the server what a session of the API needs.
-- Run by a superuser after roles.sql, in any database of the server; once more changes the password only.
--
--   psql --set pooled_password=… --file pooled.sql
--
-- Connections that the pooler has already keep what they were made with: say RECONNECT in its console afterwards.
-- docs/database.md says what it is for.

SELECT 'CREATE ROLE web_pooled LOGIN' WHERE to_regrole('web_pooled') IS NULL \gexec
GRANT tracker_api TO web_pooled;
GRANT CONNECT ON DATABASE minerals TO web_pooled;
ALTER ROLE web_pooled PASSWORD :'pooled_password';

ALTER ROLE web_pooled SET role = 'tracker_api';
ALTER ROLE web_pooled SET search_path = projection, public;
ALTER ROLE web_pooled SET timezone = 'UTC';
ALTER ROLE web_pooled SET application_name = 'tracker';
ALTER ROLE web_pooled SET enable_memoize = 'off';
ALTER ROLE web_pooled SET idle_in_transaction_session_timeout = '8s';
ALTER ROLE web_pooled SET client_connection_check_interval = '2s';
ALTER ROLE web_pooled SET tcp_keepalives_idle = '4';
ALTER ROLE web_pooled SET tcp_keepalives_interval = '2';
ALTER ROLE web_pooled SET tcp_keepalives_count = '2';
ALTER ROLE web_pooled SET tcp_user_timeout = '8s';
