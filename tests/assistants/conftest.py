"""Fixtures: a tracker with the shipped corpus behind a real web server, shared by the tests of a module."""

from collections.abc import AsyncIterator

import pytest_asyncio

from schema.services import Access, Services
from tests.support.web_server import serving


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def url(read_services: Services) -> AsyncIterator[str]:
    """Run its server with public read access and return its address."""
    async with serving(read_services, Access()) as (address, _, _):
        yield f"http://{address}"
