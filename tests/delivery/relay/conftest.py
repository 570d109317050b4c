"""A broker for a test."""

from collections.abc import AsyncIterator

import pytest

from tests.support.nats_server import NatsServer, running_nats


@pytest.fixture
async def broker() -> AsyncIterator[NatsServer]:
    """Run an empty server."""
    async with running_nats() as server:
        yield server
