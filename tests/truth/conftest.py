"""Fixtures: a tracker with the shipped corpus per file, and one per random history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from random import Random

import pytest
import pytest_asyncio

from deploy.bootstrap import running_tracker
from deploy.postgres import Postgres
from tests.conftest import copied
from tests.support.api import Api
from tests.truth.oracle.compare import expect_no
from tracker.postgres.database import Target

Comparison = Callable[[Api, Random], Awaitable[list[str]]]
"""A function that records a random history and returns the differences from expected results."""
CompareHistory = Callable[[int, Comparison], None]


@pytest.fixture(scope="module")
def asked_target(server: Postgres, corpus_template: str) -> Iterator[Target]:
    """Create a database with the shipped corpus for all questions."""
    with contextmanager(copied)(server, corpus_template) as target:
        yield target


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(asked_target: Target) -> AsyncIterator[Api]:
    """Run a tracker with the shipped corpus."""
    async with running_tracker(asked_target) as services:
        yield Api(services)


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
