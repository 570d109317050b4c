"""A database whose commits wait for standbys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import asyncpg
import pytest

from deploy.bootstrap import open_connection
from deploy.postgres import Postgres
from tests.conftest import run_sql
from tracker.postgres.database import Target


@pytest.fixture
def standby(server: Postgres, target: Target) -> Iterator[Callable[[str], None]]:
    """Return a function that sets the synchronous standbys; finally none."""

    def wait_for(name: str) -> None:
        run_sql(server, f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        run_sql(server, "SELECT pg_reload_conf()")

    yield wait_for
    wait_for("")


@pytest.fixture
async def admin(target: Target) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Open an administrator's connection to the database."""
    async with open_connection(target) as connection:
        yield connection
