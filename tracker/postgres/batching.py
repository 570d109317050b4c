"""Batching of concurrent calls into one transaction, each with its own outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

MAX_BATCH_CALLS = 500
"""The maximum number of calls in a batch."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batcher(Generic[Item, Answer]):
    """Sends waiting calls as a batch: while one batch is in flight, the next one collects. There is
    no timer.

    `send` gets the items and returns what became of each, in their order; it raises nothing.
    """

    def __init__(self, send: Callable[[list[Item]], Awaitable[Sequence[Answer | Exception]]]):
        self._send = send
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Answer:
        """Send an item with the next batch, and return its answer or raise its error.

        If the caller is cancelled, the item may still be sent.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())
        return await future

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = (
                    self._waiting[:MAX_BATCH_CALLS],
                    self._waiting[MAX_BATCH_CALLS:],
                )
                outcomes = await self._send([item for item, _ in batch])
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    _resolve(future, outcome)
        finally:
            self._sending = None


def _resolve(future: asyncio.Future[Answer], outcome: Answer | Exception) -> None:
    """Tell a caller, if it still waits."""
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
