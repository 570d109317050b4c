-- name: take
-- Take a free lease; the first condition avoids locking the row while it is held.
INSERT INTO delivery.leases AS lease (name, epoch, holder, expires_at)
SELECT $1, 1, $2, clock_timestamp() + $3::interval
WHERE NOT EXISTS (SELECT FROM delivery.leases WHERE name = $1 AND expires_at > clock_timestamp())
ON CONFLICT (name) DO UPDATE
SET epoch = lease.epoch + 1, holder = excluded.holder, expires_at = clock_timestamp() + $3::interval
WHERE lease.expires_at <= clock_timestamp()
RETURNING epoch;

-- name: renew
-- Renew a lease, also an expired one that no other process has taken.
UPDATE delivery.leases SET expires_at = clock_timestamp() + $4::interval
WHERE name = $1 AND holder = $2 AND epoch = $3
RETURNING epoch;

-- name: release
-- Release a lease immediately.
UPDATE delivery.leases SET expires_at = clock_timestamp()
WHERE name = $1 AND holder = $2 AND epoch = $3;

-- name: fence
-- Check that an epoch is current; no process can take the lease before the end of this transaction.
SELECT epoch FROM delivery.leases WHERE name = $1 AND epoch = $2 FOR SHARE;

-- name: held
-- The leases that a process holds now.
SELECT name FROM delivery.leases WHERE expires_at > clock_timestamp();
