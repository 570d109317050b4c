"""A way to PostgreSQL that can be cut."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.postgres import Postgres
from tests.faults.proxy import Proxy


@pytest.fixture
async def proxy(server: Postgres, tmp_path: Path) -> AsyncIterator[Proxy]:
    """Run a proxy before PostgreSQL, which can go silent."""
    async with Proxy(server.connection, tmp_path) as proxy:
        yield proxy
