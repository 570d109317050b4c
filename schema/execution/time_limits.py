"""How long an answer may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from graphql import OperationType

from schema.execution.executor import Executor
from tracker.errors import Unavailable

ANSWER_TIMEOUT_SECONDS = 20
"""After this long an answer is given up."""


@asynccontextmanager
async def time_limit() -> AsyncIterator[None]:
    """Give up an answer that takes too long, and with it the queries that it waits for.

    Raises Unavailable.
    """
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            yield
    except TimeoutError:
        raise Unavailable(
            f"No answer in {ANSWER_TIMEOUT_SECONDS} seconds: ask for less at once", code="TIMEOUT"
        ) from None


class TimeLimitedExecutor(Executor):
    """Executes operations, every answer of a subscription in the time that an answer has.

    One that takes longer ends the subscription with an error: what it would have told may not be
    told again, while whoever comes back is told what is so then.
    """

    def execute_operation(self, serially: bool | None = None) -> Any:
        """The answer to a query or mutation, or to one event of a subscription."""
        if self.operation.operation is not OperationType.SUBSCRIPTION:
            return super().execute_operation(serially)
        return self._answer_in_time(serially)

    async def _answer_in_time(self, serially: bool | None) -> Any:
        """An answer, in a turn of the client. Others get theirs in between: a stream that catches
        up with the log has a page of events at hand, and nothing to wait for."""
        async with self.context_value.work_slot(), time_limit():
            await asyncio.sleep(0)
            result = super().execute_operation(serially)
            return await result if self.is_awaitable(result) else result
