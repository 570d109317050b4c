"""Relays for tests, and their messages in a broker."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from deploy.bootstrap import open_pool
from tests.support.nats_server import NatsServer
from tests.support.time_limits import within
from tests.support.writers import new
from tracker.commands.commands import PlannedEvent
from tracker.commands.decisions import decide, rehydrate
from tracker.delivery.endpoint import EndpointFilter
from tracker.delivery.relay.jetstream import JetStreamSink, StreamOptions
from tracker.delivery.relay.nats_address import NatsAddress, parse_servers
from tracker.delivery.relay.relay import Relay
from tracker.delivery.relay.store import RelayStore
from tracker.domain.entities.fact import Fact
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import DELIVERER, Target

WAIT_SECONDS = within(20)
CHECK_INTERVAL_SECONDS = 0.3
EVERYTHING = EndpointFilter()


@asynccontextmanager
async def prepared(
    target: Target,
    url: str,
    name: str = "r",
    *,
    after: int | None = 0,
    filter: EndpointFilter = EVERYTHING,
    files: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Relay]:
    """Return a relay that does not run yet; `files` are those of its address."""
    async with open_pool(target, role=DELIVERER) as pool:
        recorder = Recorder(pool)
        store = RelayStore(pool, name)
        sink = JetStreamSink(
            NatsAddress(parse_servers(url), **(files or {})), StreamOptions(name, **options)
        )
        await store.begin(sink.name, filter, after, await recorder.head())
        async with Follower(recorder, target) as follower:
            yield Relay(sink, store, recorder, follower, filter.selection, CHECK_INTERVAL_SECONDS)


@asynccontextmanager
async def running(
    target: Target, url: str, name: str = "r", **options: Any
) -> AsyncIterator[Relay]:
    """Run a relay for the duration of a block."""
    async with prepared(target, url, name, **options) as relay:
        task = asyncio.create_task(relay.run())
        try:
            yield relay
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def append(recorder: Recorder, name: str, count: int) -> None:
    """Append events, all at once."""
    await asyncio.gather(*(recorder.append([new(f"{name}-{i}")]) for i in range(count)))


async def reached(
    broker: NatsServer, position: int, stream: str = "MINERALS", **login: str
) -> list[int]:
    """Return the positions in a stream, once the last one has arrived."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            found: list[int] = []
            try:
                found = await broker.positions(stream, **login)
            except Exception as error:
                logging.debug("%s", error)
            if position in found[-1:]:
                return found
            await asyncio.sleep(0.05)


async def record(recorder: Recorder, name: str, fact: Fact) -> None:
    """Append an event that opens a stream."""
    stream = f"export-control/{name}"
    await recorder.append([decide(rehydrate(stream, []), PlannedEvent(stream, fact, name), ())])


async def until_kept(target: Target, position: int) -> None:
    """Wait until the stored position of a relay reaches a position."""
    async with asyncio.timeout(WAIT_SECONDS):
        while (await kept(target))[0] != position:
            await asyncio.sleep(0.05)


def headers(message: Any) -> tuple[int, int]:
    """Return the position of an event and that of its predecessor."""
    told = message.headers
    return int(told["Tracker-Position"]), int(told["Tracker-Previous-Position"])


async def kept(target: Target, name: str = "r") -> tuple[int, int]:
    """Return the stored position of a relay, and the number of its refills."""
    async with open_pool(target, role=DELIVERER) as pool:
        row = await pool.fetchrow(
            "SELECT position, refills FROM delivery.relays WHERE name = $1", name
        )
        assert row is not None
        return row["position"], row["refills"]


async def until(true: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not true():
            await asyncio.sleep(0.02)
