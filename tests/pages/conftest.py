"""One application with the shipped corpus for all tests that only read it.

They run in the loop of the session (`tests/support/loops.py`).
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
import pytest_asyncio

from deploy.bootstrap import running_tracker
from deploy.postgres import Postgres
from schema.services import Access
from tests.conftest import copied
from tests.support.api import Api
from tracker.postgres.database import Target


@pytest.fixture(scope="session")
def read_target(server: Postgres, corpus_template: str) -> Iterator[Target]:
    """Create a read-only database with the shipped corpus."""
    with contextmanager(copied)(server, corpus_template) as target:
        yield target


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def corpus(read_target: Target) -> AsyncIterator[Api]:
    """Run the application with the shipped corpus, for reads."""
    async with running_tracker(read_target) as services:
        yield Api(services, Access())
