"""A database that accepts no connections for a while."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tracker.postgres.database import Target, connect


@asynccontextmanager
async def absent_database(target: Target) -> AsyncIterator[None]:
    """Close a database to its clients for the duration of a block, and end their connections."""
    name = target["database"]
    admin = await connect({**target, "database": "tracker"})
    try:
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", name
        )
        yield
    finally:
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await admin.close()
