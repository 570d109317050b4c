-- name: takeable
-- Whether a process of the release $4 may take a lease. The holder begins with its release. A newer release
-- takes it from an older one; an older release takes it once the newer one has not held it for a while ($5).
lease.expires_at <= clock_timestamp() + CASE
    WHEN coalesce(string_to_array(substring(lease.holder FROM '^([0-9.]+) '), '.')::int[], '{}') < $4::int[] THEN interval 'infinity'
    WHEN coalesce(string_to_array(substring(lease.holder FROM '^([0-9.]+) '), '.')::int[], '{}') > $4::int[] THEN -$5::interval
    ELSE interval '0' END

-- name: take
-- Take a lease; the first condition avoids locking the row while it is held. Returns the epoch, and the
-- seconds for which the previous holder, of an older release, may still act.
INSERT INTO delivery.leases AS lease (name, epoch, holder, expires_at)
SELECT $1, 1, $2, clock_timestamp() + $3::interval
WHERE NOT EXISTS (SELECT FROM delivery.leases AS lease WHERE name = $1 AND NOT ({takeable}))
ON CONFLICT (name) DO UPDATE
SET epoch = lease.epoch + 1, holder = excluded.holder,
    expires_at = greatest(lease.expires_at, clock_timestamp()) + $3::interval
WHERE {takeable}
RETURNING epoch, extract(epoch FROM lease.expires_at - $3::interval - clock_timestamp())::float8 AS remaining;

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
