"""A review on the connections of the API."""

from collections.abc import AsyncIterator

import pytest

from tracker.commands.handler import Commands
from tracker.log.recorder import Recorder
from tracker.postgres.database import Pool, Target, create_pool
from tracker.review.review import Review


@pytest.fixture
async def pool(target: Target) -> AsyncIterator[Pool]:
    """Open connections like the API's."""
    pool = await create_pool(target, size=3)
    yield pool
    await pool.close()


@pytest.fixture
def review(pool: Pool, recorder: Recorder) -> Review:
    """Create a review by one person."""
    return Review(pool, Commands(recorder), recorder)
