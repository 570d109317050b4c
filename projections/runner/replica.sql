-- name: state
-- Whether this is a standby; whether it receives from its primary; the received but not replayed bytes;
-- and the age of the last replayed commit.
SELECT pg_is_in_recovery() AS standby,
       EXISTS (SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL) AS receiving,
       greatest(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0)::bigint AS unreplayed,
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS age;
