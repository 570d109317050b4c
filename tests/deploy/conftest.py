"""A primary and its standby, for the tests of a module."""

import asyncio
from collections.abc import Iterator

import pytest

from deploy.bootstrap import prepare
from tests.support.replication import Pair, running_pair


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Run a primary with a tracker's tables, and its standby."""
    with running_pair() as made:
        asyncio.run(prepare(made.primary.target))
        made.standby.wait_replayed(made.primary)
        yield made
