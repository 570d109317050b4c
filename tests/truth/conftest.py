"""Fixtures: a tracker with the shipped corpus, and one per random history."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from deploy.bootstrap import running_tracker
from deploy.postgres import Postgres
from schema.services import Services
from tests.conftest import copied
from tests.support.api import Api
from tests.truth.oracle.compare import expect_no
from tests.truth.oracle.queries import log_of
from tracker.postgres.database import Target

Log = list[dict[str, Any]]
"""Entries as the public stream has them."""
Comparison = Callable[[Api, Random], Awaitable[list[str]]]
"""A function that records a random history and returns the differences from expected results."""
CompareHistory = Callable[[int, Comparison], None]


@pytest.fixture(scope="session")
def api(read_services: Services) -> Api:
    """Return the API of a tracker with the shipped corpus."""
    return Api(read_services)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shipped_log(api: Api) -> Log:
    """Return the entries of the shipped log, read once."""
    return await log_of(api)


@pytest.fixture
def compare_history(server: Postgres, empty_template: str) -> CompareHistory:
    """Return a function that records a random history in a separate database and expects no differences."""

    async def run(target: Target, seed: int, compare: Comparison) -> list[str]:
        async with running_tracker(target) as services:
            return await compare(Api(services), Random(seed))

    def expect_agreement(seed: int, compare: Comparison) -> None:
        with contextmanager(copied)(server, empty_template) as target:
            found = asyncio.run(run(target, seed, compare))
        expect_no(found)

    return expect_agreement
