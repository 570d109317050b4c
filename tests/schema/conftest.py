"""Clients of the API, and a web server for a test."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from uvicorn import Server

from schema.services import Access, Services
from tests.support.api import Api
from tests.support.web_server import serving


@pytest.fixture
async def running(services: Services) -> AsyncIterator[tuple[str, Server, asyncio.Task[None]]]:
    """Run a server on an empty log, open for writing."""
    async with serving(services, Access(open=True)) as found:
        yield found


@pytest.fixture
def api(services: Services) -> Api:
    """Run the API on an empty log, open for writing."""
    return Api(services)


@pytest.fixture
def corpus(read_services: Services) -> Api:
    """Run the API on the shipped corpus, for reads."""
    return Api(read_services)
