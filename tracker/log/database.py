"""The connection to PostgreSQL: pools, named queries, tables."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import asyncpg

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)
Target = dict[str, Any]
"""Keyword arguments of `asyncpg.connect` that say which database."""

LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a lost connection is met with; the last by one that died idle and has not noticed yet."""

SEARCH_PATH = "projection, public"
TABLES = Path(__file__).with_name("tables.sql")
NAMED = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def named_queries(path: Path) -> SimpleNamespace:
    """The queries of a `.sql` file, by the names in its `-- name:` lines."""
    _, *parts = NAMED.split(path.read_text(encoding="utf-8"))
    names, bodies = parts[::2], parts[1::2]
    return SimpleNamespace(**dict(zip(names, map(str.strip, bodies), strict=True)))


def target_from_url(url: str) -> Target:
    """What to connect to, from a `postgresql://` URL."""
    return {"dsn": url}


async def connect(target: Target) -> asyncpg.Connection[asyncpg.Record]:
    """A connection of its own, for listening or long transactions."""
    return await asyncpg.connect(**target, server_settings=_settings())


async def create_pool(target: Target, *, size: int = 10) -> Pool:
    """A pool of up to `size` connections."""
    return await asyncpg.create_pool(
        **target, min_size=1, max_size=size, server_settings=_settings(), command_timeout=60,
        reset=_keep,
    )


async def _keep(connection: Connection) -> None:
    """Give a connection back as it is: nothing here changes a session beyond its transaction, and
    the usual reset would cost a round trip a question."""


def _settings() -> dict[str, str]:
    return {"search_path": SEARCH_PATH, "timezone": "UTC", "application_name": "tracker"}


async def create_tables(connection: Connection, *scripts: Path) -> None:
    """Create what is missing, in one transaction; a crash leaves the database as it was."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('tables', 0))")
        for script in scripts:
            await connection.execute(script.read_text(encoding="utf-8"))
