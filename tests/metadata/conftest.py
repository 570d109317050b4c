"""A web server with the shipped corpus, which validators read like other programs do."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx2
import pytest
import pytest_asyncio

from deploy.bootstrap import running_tracker
from deploy.postgres import Postgres
from schema.services import Access, Services
from tests.conftest import copied
from tests.support.web_server import serving
from tracker.postgres.database import Target


@pytest.fixture(scope="session")
def metadata_target(server: Postgres, corpus_template: str) -> Iterator[Target]:
    """Create a read-only database with the shipped corpus."""
    with contextmanager(copied)(server, corpus_template) as target:
        yield target


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def services(metadata_target: Target) -> AsyncIterator[Services]:
    """Run a tracker on it."""
    async with running_tracker(metadata_target) as services:
        yield services


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    """Open a client of a real server; its base address is the origin of all links."""
    async with (
        serving(services, Access()) as (address, *_),
        httpx2.AsyncClient(base_url=f"http://{address}", timeout=120) as client,
    ):
        yield client
