"""Fixtures: signing parts of a log, and their connections."""

from collections.abc import AsyncIterator

import pytest

from tracker.postgres.database import PUBLISHER, Pool, Target, create_pool


@pytest.fixture
async def pool(target: Target) -> AsyncIterator[Pool]:
    """Open connections like the publisher's."""
    pool = await create_pool(target, role=PUBLISHER, size=3)
    yield pool
    await pool.close()
