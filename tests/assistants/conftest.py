"""Fixtures: a tracker with the shipped corpus behind a real web server, shared by the tests of a module."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
import pytest_asyncio

from deploy.bootstrap import running_tracker
from deploy.postgres import Postgres
from schema.services import Access, Services
from tests.conftest import copied
from tests.support.web_server import serving
from tracker.postgres.database import Target


@pytest.fixture(scope="module")
def module_target(server: Postgres, corpus_template: str) -> Iterator[Target]:
    """Create a database with the shipped corpus."""
    with contextmanager(copied)(server, corpus_template) as target:
        yield target


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def module_services(module_target: Target) -> AsyncIterator[Services]:
    """Run a tracker on it."""
    async with running_tracker(module_target) as services:
        yield services


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(module_services: Services) -> AsyncIterator[str]:
    """Run its server with public read access and return its address."""
    async with serving(module_services, Access()) as (address, _, _):
        yield f"http://{address}"
