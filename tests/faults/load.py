"""Writers on a tracker, and their knowledge of their commands."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any, ClassVar

import httpx2

from tests.faults.writers import UNKNOWN_CODES, Sent, Writer
from tests.support.time_limits import within
from tracker.log.recorder import Recorder

WAIT_TIMEOUT_SECONDS = within(60)
"""Timeout in seconds for expected events."""


class Broken(Exception):
    """The error for a broken guarantee."""


class Load:
    """A set of writers; each selects its tracker."""

    writer_kinds: ClassVar[Sequence[type[Writer]]]
    pause_seconds: ClassVar[float] = 0
    """Seconds between the commands of a writer."""
    retry_seconds: ClassVar[float] = 0.1
    """Seconds before a writer retries a command that was not acknowledged."""
    recorder: Recorder
    http: httpx2.AsyncClient

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.writers: list[Writer] = []
        self.names = map(str, itertools.count(1))
        self.unknown_codes: Collection[str] = UNKNOWN_CODES
        """Error codes that leave the outcome of a command unknown."""

    def url_for(self, writer: Writer) -> str:
        """Return the tracker of a writer."""
        raise NotImplementedError

    def last_words(self) -> str:
        """Return the output of servers, to diagnose a failure."""
        raise NotImplementedError

    @asynccontextmanager
    async def load(self, chance: Random) -> AsyncIterator[None]:
        """Run writers until the end of the block; then each finishes its current command."""
        self.writers = [kind(self, Random(chance.random())) for kind in self.writer_kinds]
        working = [asyncio.create_task(writer.work()) for writer in self.writers]
        try:
            yield
        finally:
            for writer in self.writers:
                writer.resting = True
            await asyncio.gather(*working)
        self.complain()

    async def settled(self, seconds: float = WAIT_TIMEOUT_SECONDS) -> None:
        """Wait until every writer has two new commands in a row acknowledged."""
        for writer in self.writers:
            writer.begin_streak()
        await self.until(
            lambda: all(writer.streak >= 2 for writer in self.writers),
            "every writer is acknowledged again",
            seconds,
        )

    async def until(
        self, condition: Callable[[], bool], promise: str, seconds: float = WAIT_TIMEOUT_SECONDS
    ) -> None:
        """Wait for a guarantee."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.complain()
            if time.monotonic() > deadline:
                raise Broken(
                    f"{promise}: not within {seconds} s; the servers say:\n{self.last_words()}"
                )
            await asyncio.sleep(0.005)

    def complain(self) -> None:
        """Raise Broken if a writer got a forbidden response."""
        for writer in self.writers:
            if writer.complaint:
                raise Broken(writer.complaint)

    async def ask_server(self, url: str, document: str, **variables: Any) -> Any:
        """Return the data of a response of a running server."""
        answer = await self.http.post(
            f"{url}/graphql", json={"query": document, "variables": variables}
        )
        if "errors" in answer.json():
            raise Broken(f"{document} is answered by {answer.text}")
        return answer.json()["data"]

    async def ready(self, url: str) -> None:
        """Wait until a server reports readiness."""
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            while True:
                with suppress(httpx2.TransportError):
                    if (await self.http.get(f"{url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.05)
