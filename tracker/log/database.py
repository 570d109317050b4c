"""The connection to PostgreSQL: pools, roles, named queries."""

from __future__ import annotations

import re
from collections.abc import Mapping
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

OWNER, PROJECTOR, API = "tracker_owner", "tracker_projector", "tracker_api"
PUBLISHER = "tracker_publisher"
"""The roles; see migrations/0001_roles.sql and 0005_audit.sql."""

SEARCH_PATH = "projection, public"
NO_SETTINGS: Mapping[str, str] = {}
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


async def connect(
    target: Target, *, role: str | None = None
) -> asyncpg.Connection[asyncpg.Record]:
    """A connection of its own, for listening or long transactions; as the login without a role."""
    return await asyncpg.connect(**target, server_settings=_settings(role))


async def create_pool(
    target: Target, *, role: str | None = API, size: int = 10,
    settings: Mapping[str, str] = NO_SETTINGS,
) -> Pool:
    """A pool of up to `size` connections that work as a role, with settings of their own."""
    return await asyncpg.create_pool(
        **target, min_size=1, max_size=size, server_settings={**_settings(role), **settings},
        command_timeout=60, reset=_keep,
    )


def at_work(pool: Pool) -> tuple[int, int]:
    """How many connections of a pool are at work, and how many there may be."""
    return pool.get_size() - pool.get_idle_size(), pool.get_max_size()


async def _keep(connection: Connection) -> None:
    """Give a connection back as it is: nothing here changes a session beyond its transaction, and
    the usual reset would cost a round trip a question."""


def _settings(role: str | None) -> dict[str, str]:
    settings = {
        "search_path": SEARCH_PATH, "timezone": "UTC", "application_name": "tracker",
        "enable_memoize": "off",  # no query looks the same up twice
    }
    return settings | {"role": role} if role else settings
