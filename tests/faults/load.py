"""Writers at work on a tracker, whatever it runs on, and what they know of their commands."""

from __future__ import annotations

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
"""Seconds after which something that should have come is missing."""


class Broken(Exception):
    """A promise that was not kept."""


class Load:
    """Writers at work; each sends to a tracker of its own choice."""

    writer_kinds: ClassVar[Sequence[type[Writer]]]
    pause_seconds: ClassVar[float] = 0
    """Seconds between the commands of a writer."""
    retry_seconds: ClassVar[float] = 0.1
    """Seconds that a writer waits after a command that was not acknowledged."""
    recorder: Recorder
    http: httpx2.AsyncClient

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.writers: list[Writer] = []
        self.names = map(str, itertools.count(1))
        self.unknown_codes: Collection[str] = UNKNOWN_CODES
        """Codes of errors that leave the outcome of a command unknown."""

    def url_for(self, writer: Writer) -> str:
        """The tracker that a writer sends to."""
        raise NotImplementedError

    def last_words(self) -> str:
        """What servers have said, for whoever looks for the reason of a failure."""
        raise NotImplementedError

    @asynccontextmanager
    async def load(self, chance: Random) -> AsyncIterator[None]:
        """Writers at work until the end of the block; then each finishes what it is at."""
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
        """Wait until every writer has two commands in a row acknowledged, sent from now on."""
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
        """Wait for what is promised."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.complain()
            if time.monotonic() > deadline:
                raise Broken(
                    f"{promise}: not within {seconds} s; the servers say:\n{self.last_words()}"
                )
            await asyncio.sleep(0.005)

    def complain(self) -> None:
        """Raise Broken if a writer got an answer that nobody should get."""
        for writer in self.writers:
            if writer.complaint:
                raise Broken(writer.complaint)

    async def ask_server(self, url: str, document: str, **variables: Any) -> Any:
        """The data of a server's answer; whoever asks knows that it is up."""
        answer = await self.http.post(
            f"{url}/graphql", json={"query": document, "variables": variables}
        )
        if "errors" in answer.json():
            raise Broken(f"{document} is answered by {answer.text}")
        return answer.json()["data"]

    async def ready(self, url: str) -> None:
        """Wait until a server says that it is ready."""
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            while True:
                with suppress(httpx2.TransportError):
                    if (await self.http.get(f"{url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.05)
