"""What signs a log, and what it is connected by."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tracker.postgres.database import PUBLISHER, Pool, Target, create_pool


@pytest.fixture
async def pool(target: Target) -> AsyncIterator[Pool]:
    """Connections as the publisher has them."""
    pool = await create_pool(target, role=PUBLISHER, size=3)
    yield pool
    await pool.close()
