"""A pool provides only working connections."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.faults.proxy import Proxy
from tests.support.time_limits import within
from tracker.postgres.database import (
    CHECK_TIMEOUT_SECONDS,
    CONNECTION_ERRORS,
    IDLE_CHECK_SECONDS,
    Pool,
    Session,
    Target,
    create_pool,
)

IDLE = 5
BACKEND = "SELECT pg_backend_pid()"


@pytest.fixture
async def pool(proxy: Proxy, target: Target) -> AsyncIterator[Pool]:
    """Create a pool through the proxy, with some used connections."""
    pool = await create_pool({**proxy.target, "database": target["database"]}, seconds=30)
    await asyncio.gather(*(pool.fetchval("SELECT pg_sleep(0.2)") for _ in range(IDLE)))
    assert pool.get_idle_size() == IDLE
    yield pool
    pool.terminate()


@pytest.mark.parametrize("questions", [1, 5])
async def test_questions_are_answered_soon_though_every_idle_connection_has_gone_silent(
    pool: Pool, proxy: Proxy, questions: int
) -> None:
    proxy.swallow()
    proxy.heal()
    await asyncio.sleep(IDLE_CHECK_SECONDS)
    asked = time.monotonic()
    answers = [pool.fetchval("SELECT 1") for _ in range(questions)]
    assert await asyncio.gather(*answers) == [1] * questions
    assert time.monotonic() - asked < within(8), "not the 30 s that a question may take"


async def test_a_connection_that_was_never_used_is_asked_too(proxy: Proxy, target: Target) -> None:
    pool = await create_pool({**proxy.target, "database": target["database"]}, seconds=30)
    proxy.swallow()
    proxy.heal()
    await asyncio.sleep(IDLE_CHECK_SECONDS)
    assert await asyncio.wait_for(pool.fetchval("SELECT 1"), within(8)) == 1
    pool.terminate()


class ClosedAfterCheck(Session):
    """A connection that the server closes at once after its answer to a check."""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        answer = await super().execute(query, *args, timeout=timeout)
        self.terminate()
        return answer


async def test_a_connection_that_ends_after_its_check_is_replaced_and_the_pool_can_be_closed(
    target: Target,
) -> None:
    pool = await create_pool(target, session=ClosedAfterCheck)
    await asyncio.sleep(IDLE_CHECK_SECONDS)
    assert await pool.fetchval("SELECT 1") == 1
    await asyncio.wait_for(pool.close(), within(8))


async def test_where_one_connection_is_silent_nobody_waits_for_the_others_in_turn(
    pool: Pool, proxy: Proxy
) -> None:
    proxy.swallow()
    proxy.heal()
    await asyncio.sleep(IDLE_CHECK_SECONDS)
    asked = time.monotonic()
    async with AsyncExitStack() as stack:
        for _ in range(IDLE):
            await stack.enter_async_context(pool.acquire())
    assert time.monotonic() - asked < IDLE * CHECK_TIMEOUT_SECONDS


async def test_a_failed_wait_in_a_transaction_does_not_wait_for_its_end(
    pool: Pool, proxy: Proxy
) -> None:
    async def ask() -> None:
        async with pool.acquire() as connection, connection.transaction():
            proxy.swallow()
            proxy.heal()
            await connection.fetchval("SELECT 1", timeout=1)

    asked = time.monotonic()
    with pytest.raises(CONNECTION_ERRORS):
        await ask()
    assert time.monotonic() - asked < within(8), "not the 30 s that a rollback may take"


async def test_a_connection_that_answers_is_used_again_however_long_it_was_idle(pool: Pool) -> None:
    backend = await pool.fetchval(BACKEND)
    await asyncio.sleep(IDLE_CHECK_SECONDS + 0.1)
    assert await pool.fetchval(BACKEND) == backend
