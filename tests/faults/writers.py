"""Writers: each sends commands sequentially, and keeps the outcome of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import httpx2

from tests.support.api import control, document, suspension
from tests.support.fact_builders import announced, suspended
from tracker.commands.commands import PlannedEvent
from tracker.commands.decisions import decide_all, rehydrate
from tracker.errors import DiskFull, Unavailable

if TYPE_CHECKING:
    from tests.faults.load import Load

TOKEN = "a-secret-of-the-test"
UNKNOWN_CODES = ("UNAVAILABLE", "TIMEOUT")
"""Error codes that leave the outcome of a command unknown."""
SET_BACK = "LOG_SET_BACK"
"""Error code of a reset log, for any status."""


@dataclass(eq=False)
class Sent:
    """A command with its outcome: acknowledged positions, refused for lack of space, or unknown."""

    ids: tuple[str, ...]
    send: Callable[[], Awaitable[range]]
    """Function that sends it, also again. Raises NotSent, DiskFull, or Unavailable for an unknown
    outcome."""
    positions: range | None = None
    refused: bool = False
    unknown: bool = False
    """Whether its first outcome was unknown, even if it was sent again later."""
    told_at: float = 0
    """Monotonic time of its acknowledgement, or of giving up."""


class NotSent(Exception):
    """The error without a listener: the command was not sent."""


class Writer:
    """A writer that sends commands until it is stopped."""

    def __init__(self, world: Load, chance: Random):
        self.world = world
        self.chance = chance
        self.resting = False
        self.complaint = ""
        """A forbidden response."""
        self.begin_streak()

    def begin_streak(self) -> None:
        """Count consecutive acknowledged commands from now on."""
        self.streak, self._since = 0, time.monotonic()

    async def work(self) -> None:
        """Write until stopped."""
        while not self.resting and not self.complaint:
            try:
                await self.write()
            except Exception as error:
                self.complaint = f"a writer was answered by {error!r}"

    async def write(self) -> None:
        """Send some related commands."""
        raise NotImplementedError

    async def sent(self, send: Callable[[], Awaitable[range]], *ids: str) -> bool:
        """Send a command, and return whether it was acknowledged."""
        command, begun = Sent(ids, send), time.monotonic()
        try:
            command.positions = await send()
        except DiskFull:
            command.refused = True
        except Unavailable:
            pass
        except NotSent:
            await asyncio.sleep(self.world.retry_seconds)
            return False
        command.unknown = command.positions is None and not command.refused
        command.told_at = time.monotonic()
        self.world.sent.append(command)
        acknowledged = command.positions is not None
        if begun >= self._since:
            self.streak = self.streak + 1 if acknowledged else 0
        await asyncio.sleep(self.world.pause_seconds if acknowledged else self.world.retry_seconds)
        return acknowledged


class Mutating(Writer):
    """A writer of mutations over HTTP: announces an instrument, then suspends it several times."""

    async def write(self) -> None:
        """Write one instrument."""
        name = next(self.world.names)
        if not await self._mutated("announceExportControl", control(name), name):
            return
        for day in range(1, self.chance.randint(1, 4)):
            told = suspension(name, suspendedFrom=f"2025-11-{day:02}")
            if not await self._mutated("suspendExportControl", told, f"{name}-{day}"):
                return

    async def _mutated(self, mutation: str, input: dict[str, Any], key: str) -> bool:
        async def send() -> range:
            body = {"query": document(mutation), "variables": {"input": input, "key": key}}
            return positions(mutation, await self._post(body), self.world.unknown_codes)

        return await self.sent(send, key)

    async def _post(self, body: dict[str, Any]) -> httpx2.Response:
        try:
            return await self.world.http.post(
                f"{self.world.url_for(self)}/graphql",
                json=body,
                headers={"Authorization": f"Bearer {TOKEN}"},
            )
        except httpx2.ConnectError as error:
            raise NotSent from error
        except httpx2.TransportError as error:
            raise Unavailable("The server ended before it answered") from error


def positions(
    mutation: str, response: httpx2.Response, unknown: Collection[str] = UNKNOWN_CODES
) -> range:
    """Return the positions in the response to a mutation.

    Raises DiskFull, or Unavailable for an unknown outcome. Any other error is forbidden.
    """
    answer = response.json()
    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    if codes == {SET_BACK} <= set(unknown):
        raise Unavailable("The log was set back")
    if codes and response.status_code == 200:
        if codes == {"DISK_FULL"}:
            raise DiskFull
        if codes <= set(unknown):
            raise Unavailable("The outcome is unknown")
    if codes or response.status_code != 200:
        raise RuntimeError(f"{response.status_code} {response.text}")
    first, last = (int(answer["data"][mutation]["positions"][i]) for i in (0, -1))
    return range(first, last + 1)


class Appending(Writer):
    """A writer that appends several events at once from this process."""

    async def write(self) -> None:
        """Write one to four events of one or two instruments."""
        orders = [
            PlannedEvent(f"export-control/{name}", fact, f"{name}-{number}")
            for name in [next(self.world.names) for _ in range(self.chance.randint(1, 2))]
            for number, fact in enumerate(
                [announced(), suspended("1")][: self.chance.randint(1, 2)]
            )
        ]
        entities = {order.stream: rehydrate(order.stream, ()) for order in orders}
        events, refused = decide_all(entities, orders, ())
        assert not refused

        async def send() -> range:
            return (await self.world.recorder.append(events)).positions

        await self.sent(send, *(event.event_id for event in events))
