-- Which cluster a server belongs to, and the timeline that it writes; NULL on a standby.
SELECT system_identifier AS cluster,
       CASE WHEN NOT pg_is_in_recovery()
            THEN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END AS timeline
FROM pg_control_system()
