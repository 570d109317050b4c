"""A web server with the shipped corpus, which validators read like other programs do."""

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from schema.services import Access, Services
from tests.support.web_server import serving


@pytest.fixture
def services(read_services: Services) -> Services:
    """Return the tracker that all tests read."""
    return read_services


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(read_services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    """Open a client of a real server; its base address is the origin of all links."""
    async with (
        serving(read_services, Access()) as (address, *_),
        httpx2.AsyncClient(base_url=f"http://{address}", timeout=120) as client,
    ):
        yield client
