"""Slots for the queries of each client."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class WorkSlots:
    """Query slots by client. Each client has a limited number; further queries of the client are queued, so
    that other clients wait less.

    A slot is free from the next iteration of the event loop on. So the limit also holds for queries that
    never wait.
    """

    def __init__(self, most: int):
        self._most = most
        self._at_work: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def hold(self, client: str) -> AsyncIterator[None]:
        """Wait for a slot of a client, and hold it for the length of a block."""
        if self._at_work[client] >= self._most:
            await self._wait(client)
        else:
            self._at_work[client] += 1
        try:
            yield
        finally:
            asyncio.get_running_loop().call_soon(self._pass_on, client)

    def load(self, client: str) -> int:
        """Return the number of active and queued queries of a client."""
        return self._at_work[client] + len(self._waiting.get(client, ()))

    async def _wait(self, client: str) -> None:
        mine = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # the slot arrived at the same moment
                self._pass_on(client)
            raise

    def _pass_on(self, client: str) -> None:
        """Give a free slot to the next waiter, if there is one."""
        waiting = self._waiting.get(client, deque())
        while waiting:
            following = waiting.popleft()
            if not following.done():
                following.set_result(None)
                return
        self._waiting.pop(client, None)
        self._at_work[client] -= 1
        if not self._at_work[client]:
            del self._at_work[client]
