"""Delivery rate to one endpoint, and delivery lag of a thousand endpoints; a tenth of them hang.

    python -m tools.benchmarks.deliveries [--rounds 3] [--seconds 30] [--write PAGE]

One server on the shipped corpus has one core (Linux) for its API and deliveries. As the upper limit of one
connection, an aiohttp loop posts the same bodies to the same receiver, unsigned and without records. Then a
thousand endpoints, some without any response, follow a writer. Later they all start at the first event.
Meanwhile a client sends queries.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeAlias

import aiohttp
import psutil  # type: ignore[import-untyped]
import uvloop

from deploy.postgres import running
from tests.support.processes import Running
from tools.benchmarks.fanout import TOKEN, Writer, corpus, port_of, serving
from tools.benchmarks.harness import machine, markdown, options, publish
from tools.benchmarks.receiving import Received
from tracker.delivery.endpoint import Manager, NewEndpoint
from tracker.delivery.endpoints import Endpoints
from tracker.delivery.message import Message, batch_message, event_message
from tracker.log.recorder import Recorder
from tracker.postgres.database import create_pool
from tracker.web.networks import Networks

LOOPBACK = "127.0.0.0/8"
MANAGER = Manager("benchmark")
AIMS = {1: 500, 100: 10_000}
"""Target events per second to one endpoint, by events per delivery."""
LAG_AIM_MS = 2_000
"""Target for the 99th percentile of endpoints that do not hang."""
PATIENCE_SECONDS = 120
MEMORY = "MB of the server before / at most"
QUERIES = "p99 ms of a query before / during"
QUERIES_PER_SECOND = 20
QUERY = (
    'query ($day: Day!) { asOf(validAt: $day) { exportControls(issuer: "CN", first: 20)'
    " { totalCount nodes { key title } } } }"
)


class Receiver:
    """A receiver in a separate process."""

    def __init__(self, process: subprocess.Popen[str]):
        self._process = process
        assert process.stdin
        assert process.stdout
        self._querying, self._answers = process.stdin, process.stdout
        self.url = f"http://127.0.0.1:{int(self._answers.readline())}"

    def report(self) -> Received:
        """Return the events received since the last report."""
        print(file=self._querying, flush=True)
        return Received(**json.loads(self._answers.readline()))


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver for the duration of a block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.benchmarks.receiving"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Receiver(process)
    finally:
        process.kill()
        process.wait()


Taken: TypeAlias = dict[tuple[str, int], list[float]]
"""Events per second of each round, by sender and events per delivery."""


@dataclass(slots=True)
class Desk:
    """The endpoints and log of a server."""

    endpoints: Endpoints
    recorder: Recorder

    async def add(self, url: str, after: int, batch: int = 1) -> None:
        """Add an endpoint named after its address."""
        name = url.partition("//")[2].translate(str.maketrans(":/", "--"))
        new = NewEndpoint(url, name, after, max_batch_events=batch)
        await self.endpoints.add(new, MANAGER)

    async def add_many(
        self, receiver: Receiver, count: int, hanging: int, from_first: bool
    ) -> None:
        """Add endpoints that follow, or start at the first event; some hang."""
        head, start = await self.recorder.head(), "first" if from_first else "last"
        for number in range(count):
            kind = "hang" if number < hanging else "take"
            await self.add(f"{receiver.url}/{kind}/{start}/{number}", 0 if from_first else head)

    async def clear(self) -> None:
        """Remove all endpoints."""
        for endpoint in await self.endpoints.all(MANAGER):
            await self.endpoints.remove(endpoint.name, MANAGER)


@asynccontextmanager
async def desk(server: Running) -> AsyncIterator[Desk]:
    """Open the endpoints of a server, for the duration of a block."""
    process = running(server.data_dir)
    assert process
    pool = await create_pool(process.connection.kwargs())
    try:
        recorder = Recorder(pool)
        yield Desk(Endpoints(pool, recorder, Networks.parse([LOOPBACK])), recorder)
    finally:
        await pool.close()


async def deliver(at: Desk, receiver: Receiver, number: int, batch: int) -> float:
    """Return events per second to one endpoint, from the first acceptance to the end of the log."""
    head = await at.recorder.head()
    await at.add(f"{receiver.url}/{batch}-{number}", after=0, batch=batch)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await at.endpoints.all(MANAGER))[0].position < head:
            await asyncio.sleep(0.5)
    await at.clear()
    return rate(receiver.report(), head, batch)


async def post(at: Desk, receiver: Receiver, number: int, batch: int) -> float:
    """Return events per second of a loop that posts the same bodies without pause."""
    messages = [message async for message in bodies(at, batch)]
    async with aiohttp.ClientSession() as session:
        for message in messages:
            async with session.post(
                f"{receiver.url}/loop-{batch}-{number}",
                data=message.body,
                headers={"Content-Type": message.media_type, "webhook-id": message.id},
            ) as answer:
                assert answer.status == 204
                await answer.read()
    return rate(receiver.report(), await at.recorder.head(), batch)


async def bodies(at: Desk, batch: int) -> AsyncIterator[Message]:
    """Yield the log as messages."""
    log = [event async for event in at.recorder.read_all(await at.recorder.head())]
    for first in range(0, len(log), batch):
        pairs = [(event, event.position - 1) for event in log[first : first + batch]]
        yield batch_message(pairs) if batch > 1 else event_message(*pairs[0])


def rate(received: Received, events: int, batch: int) -> float:
    """Return events per second, and check that each arrived once; the clock starts with the first
    delivery."""
    if received.events != events or received.missed or received.doubled:
        raise RuntimeError(f"of {events} events came {received}")
    return (events - batch) / received.seconds


@dataclass(slots=True)
class Querier:
    """A client that queries random days at a fixed rate."""

    server: Running
    milliseconds: list[float] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def _post(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port_of(self.server), timeout=60)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        while not self._over.wait(1 / QUERIES_PER_SECOND):
            day = date(2023, 1, 1) + timedelta(days=random.randrange(1000))
            body = {"query": QUERY, "variables": {"day": day.isoformat()}}
            started = time.perf_counter()
            connection.request("POST", "/graphql", json.dumps(body), headers)
            answer = connection.getresponse().read()
            self.milliseconds.append(1000 * (time.perf_counter() - started))
            assert b'"errors"' not in answer, answer

    @contextmanager
    def querying(self) -> Iterator[None]:
        """Send queries for the duration of a block."""
        thread = threading.Thread(target=self._post, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    @property
    def p99(self) -> float:
        """Return the 99th percentile in milliseconds."""
        return statistics.quantiles(self.milliseconds, n=100, method="inclusive")[98]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Measurements of many endpoints."""

    endpoints: int
    hanging: int
    seconds: float
    received: Received
    megabytes: tuple[float, float]
    """Memory of the server: before, and at its peak."""
    p99: tuple[float, float]
    """Milliseconds of a client's query: before, and during deliveries."""

    @property
    def holds(self) -> bool:
        """Whether the working endpoints keep up, and get each event once."""
        got = self.received
        return got.p99 < LAG_AIM_MS and not (got.missed or got.doubled)

    @property
    def cells(self) -> list[str]:
        """Return the cells of the table."""
        return [
            f"{self.received.events / self.seconds:,.0f}",
            str(self.received.missed),
            str(self.received.doubled),
            " / ".join(f"{each:,.0f}" for each in self.megabytes),
            " / ".join(f"{each:,.1f}" for each in self.p99),
        ]


async def crowd(
    at: Desk,
    server: Running,
    receiver: Receiver,
    chosen: argparse.Namespace,
    *,
    from_first: bool = False,
) -> Crowd:
    """Let many endpoints follow for some seconds, or all start at the first event."""
    process = psutil.Process(server.process.pid)
    before = most = process.memory_info().rss
    alone, beside, writer = Querier(server), Querier(server), Writer(port_of(server))
    with alone.querying():
        await asyncio.to_thread(writer.write, chosen.seconds / 3, chosen.rate)
    hanging = chosen.endpoints // 10
    await at.add_many(receiver, chosen.endpoints, hanging, from_first)
    if not from_first:
        await asyncio.sleep(2)
        receiver.report()
    writing = asyncio.create_task(asyncio.to_thread(writer.write, chosen.seconds, chosen.rate))
    with beside.querying():
        while not writing.done():
            await asyncio.sleep(0.1)
            most = max(most, process.memory_info().rss)
    await writing
    if not from_first:
        await asyncio.sleep(LAG_AIM_MS / 1000 + 1)
    received = receiver.report()
    await at.clear()
    due = (chosen.endpoints - hanging) * int(chosen.seconds * chosen.rate)
    if received.events < due:
        raise RuntimeError(f"of {due} deliveries came {received}")
    megabytes, p99 = (before / 1e6, most / 1e6), (alone.p99, beside.p99)
    seconds = received.seconds if from_first else chosen.seconds
    return Crowd(chosen.endpoints, hanging, seconds, received, megabytes, p99)


def report(taken: Taken, following: Crowd, behind: Crowd, how: str) -> str:
    """Return the tables as Markdown."""
    rows = []
    for batch, aim in AIMS.items():
        own, loop = (statistics.median(taken[reader, batch]) for reader in ("ours", "loop"))
        name = "one by one" if batch == 1 else f"batches of {batch}"
        rows.append(
            [
                name,
                f"{own:,.0f}",
                f"{aim:,}",
                f"{loop:,.0f}",
                f"{own / loop:.2f}",
                yes_or_no(own >= aim),
            ]
        )
    one = markdown(
        ["events/s to one endpoint", "", "aim", "a loop of aiohttp", "of that", "holds"], rows
    )
    got, many = following.received, f"{following.endpoints:,} ({following.hanging:,} hang)"
    lags = [f"{each:,.0f}" for each in (got.p50, got.p99, got.worst)]
    crowded = markdown(
        [
            many,
            "p50 ms",
            "p99 ms",
            "worst ms",
            "deliveries/s",
            "missed",
            "doubled",
            MEMORY,
            QUERIES,
            "holds",
        ],
        [
            ["follow a writer", *lags, *following.cells, yes_or_no(following.holds)],
            ["begin at the first event, all at once", "–", "–", "–", *behind.cells, "–"],
        ],
    )
    return "\n\n".join([f"{machine()}; {how}.", one, crowded])


def yes_or_no(holds: bool) -> str:
    """Return whether a target is met, as text."""
    return "yes" if holds else "**no**"


async def measured(
    server: Running, receiver: Receiver, chosen: argparse.Namespace
) -> tuple[Taken, Crowd, Crowd]:
    """Measure everything; compared values are measured in interleaved rounds."""
    taken: Taken = {}
    async with desk(server) as at:
        for number in range(chosen.rounds):
            for batch in AIMS:
                for reader, measure in (("ours", deliver), ("loop", post)):
                    figure = await measure(at, receiver, number, batch)
                    taken.setdefault((reader, batch), []).append(figure)
                    print(f"round {number + 1}, {batch}, {reader}: {figure:,.0f}", file=sys.stderr)
        following = await crowd(at, server, receiver, chosen)
        return taken, following, await crowd(at, server, receiver, chosen, from_first=True)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the options."""
    parser = options(str(__doc__))
    parser.add_argument("--seconds", type=float, default=30, help="seconds of writing")
    parser.add_argument("--rate", type=float, default=1, help="events per second")
    parser.add_argument(
        "--endpoints", type=int, default=1_000, help="number of endpoints; a tenth of them hang"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or write to a page."""
    chosen = parsed(arguments)
    with (
        corpus() as data_dir,
        serving(data_dir, 0, TRACKER_DELIVERY_NETWORKS=LOOPBACK) as server,
        receiving() as receiver,
    ):
        taken, following, behind = uvloop.run(measured(server, receiver, chosen))
    how = (
        f"medians of {chosen.rounds} rounds over the log of the corpus; many endpoints:"
        f" {chosen.rate:g} events a second for {chosen.seconds:g} s"
    )
    publish("deliveries", report(taken, following, behind, how), chosen.write)


if __name__ == "__main__":
    main()
