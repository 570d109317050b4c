"""A tracker with the shipped corpus, for all questions of a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
import pytest_asyncio

from deploy.bootstrap import running_tracker
from deploy.postgres import Postgres
from tests.conftest import copied
from tests.support.api import Api
from tracker.postgres.database import Target


@pytest.fixture(scope="module")
def asked_target(server: Postgres, corpus_template: str) -> Iterator[Target]:
    """A database with the shipped corpus, for all questions."""
    with contextmanager(copied)(server, corpus_template) as target:
        yield target


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(asked_target: Target) -> AsyncIterator[Api]:
    """A tracker with the shipped corpus."""
    async with running_tracker(asked_target) as services:
        yield Api(services)
