-- name: take
-- Take a lease that nobody holds: the first look spares the row while somebody does.
INSERT INTO delivery.leases AS lease (name, epoch, holder, expires_at)
SELECT $1, 1, $2, clock_timestamp() + $3::interval
WHERE NOT EXISTS (SELECT FROM delivery.leases WHERE name = $1 AND expires_at > clock_timestamp())
ON CONFLICT (name) DO UPDATE
SET epoch = lease.epoch + 1, holder = excluded.holder, expires_at = clock_timestamp() + $3::interval
WHERE lease.expires_at <= clock_timestamp()
RETURNING epoch;

-- name: renew
-- Go on holding a lease, also one that is over and that nobody else has taken.
UPDATE delivery.leases SET expires_at = clock_timestamp() + $4::interval
WHERE name = $1 AND holder = $2 AND epoch = $3
RETURNING epoch;

-- name: release
-- Let others take it at once.
UPDATE delivery.leases SET expires_at = clock_timestamp()
WHERE name = $1 AND holder = $2 AND epoch = $3;

-- name: fence
-- That an epoch is the present one; nobody takes the lease before the end of this transaction.
SELECT epoch FROM delivery.leases WHERE name = $1 AND epoch = $2 FOR SHARE;
