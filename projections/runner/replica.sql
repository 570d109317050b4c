-- name: projections
-- How far each projection has come, and the code that made its rows.
SELECT projection, position, fold, release FROM projection.progress;

-- name: state
-- Whether this is a standby; whether a process of it receives from its primary; how much of what was
-- received is not replayed yet, in bytes; and for how long the last commit that it shows has been one.
SELECT pg_is_in_recovery() AS standby,
       EXISTS (SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL) AS receiving,
       greatest(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0)::bigint AS unreplayed,
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS age;
