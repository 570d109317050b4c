"""Latency of a cheap query during hostile loads of other clients.

    python -m tools.benchmarks.isolation [--only LOAD …] [--seconds 10] [--write PAGE]

Each hostile load (`hostile.py`) comes from three clients in separate processes. Another client sends an
uncached cheap query ten times per second, each on a new connection.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import uvloop

from tests.support.processes import Running, command
from tools.benchmarks.harness import machine, markdown, options, publish
from tools.benchmarks.hostile import LOADS, TOKEN, Client, claimed, posted

CLIENTS = 3
QUIET = "nobody else"
INTERVAL_SECONDS = 0.1
SETTLE_SECONDS = 10
"""Seconds between the end of a load and the second memory measurement."""
AIMS = (0.25, 1.0, 600.0)
"""Targets: seconds of the 99th percentile and the maximum, MB."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """Latencies of a cheap query during a load in seconds, and the server's memory in MB."""

    load: str
    waits: Sequence[float]
    failures: int
    before: float
    most: float
    after: float

    @property
    def cells(self) -> list[str]:
        """Return a row of the table."""
        cuts = statistics.quantiles([*self.waits, *self.waits], n=100, method="inclusive")
        p50, p99 = cuts[49], cuts[98]
        holds = (
            p99 < AIMS[0]
            and max(self.waits) < AIMS[1]
            and self.most < AIMS[2]
            and not self.failures
        )
        return [
            self.load,
            *(f"{1000 * each:,.0f}" for each in (p50, p99, max(self.waits))),
            str(self.failures),
            *(f"{each:,.0f}" for each in (self.before, self.most, self.after)),
            "yes" if holds else "**no**",
        ]


def query(number: int) -> bytes:
    """Return an uncached cheap query."""
    day = f"20{10 + number % 16}-{1 + number // 16 % 12:02}-{1 + number // 192 % 28:02}"
    return posted(
        {
            "query": "query Cheap($d: Day) { asOf(validAt: $d) {"
            ' exportControl(id: "cn-mofcom-2024-46") { title } } }',
            "variables": {"d": day},
        }
    )


async def query_lane(client: Client, seconds: float, waits: list[float]) -> int:
    """Send queries repeatedly, and return the number of failures."""
    failures, until, numbers = 0, time.monotonic() + seconds, client.numbers
    while time.monotonic() < until:
        started = time.monotonic()
        answer = b""
        with suppress(OSError, TimeoutError):
            answer = await client.send(query(next(numbers)))
        failures += not answer.startswith(b"HTTP/1.1 200")
        waits.append(time.monotonic() - started)
        await asyncio.sleep(max(0, started + INTERVAL_SECONDS - time.monotonic()))
    return failures


async def watch_memory(process: psutil.Process, most: list[float]) -> None:
    """Record the memory of a process ten times per second."""
    while True:
        most.append(memory(process))
        await asyncio.sleep(0.1)


def memory(process: psutil.Process) -> float:
    """Return the memory of a process in MB."""
    return float(process.memory_info().rss) / 1e6


def attack(load: str, port: int, seconds: float) -> list[subprocess.Popen[bytes]]:
    """Start the clients of a load."""
    if load == QUIET:
        return []
    return [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tools.benchmarks.hostile",
                load,
                str(port),
                str(seconds),
                f"127.0.0.{2 + number}",
            ]
        )
        for number in range(CLIENTS)
    ]


async def measure(
    load: str, port: int, process: psutil.Process, seconds: float, settle: float = SETTLE_SECONDS
) -> Isolation:
    """Measure a cheap query during a load."""
    before, memories, waits = memory(process), [0.0], list[float]()
    watching = asyncio.create_task(watch_memory(process, memories))
    clients = attack(load, port, seconds)
    try:
        if clients:
            await asyncio.sleep(min(1.5, seconds / 2))  # they need time to start
        querier = Client(port, "127.0.0.1", 0)
        failures = await query_lane(querier, seconds, waits)
    finally:
        for client in clients:
            client.kill()
            client.wait()
    await asyncio.sleep(settle if clients else 0)
    watching.cancel()
    return Isolation(load, waits, failures, before, max(memories), memory(process))


@contextmanager
def serving(events: int) -> Iterator[Running]:
    """Run a server on the corpus, with an entity of many events."""
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as directory:
        os.chmod(directory, 0o755)
        data_dir = Path(directory) / "data"
        corpus = Path(__file__).parents[2] / "tracker" / "corpus" / "corpus.jsonl"
        assert command("import", str(corpus), data_dir=data_dir).returncode == 0
        server = Running("serve", data_dir=data_dir, TRACKER_WRITE_TOKEN=TOKEN)
        try:
            uvloop.run(fill(int(server.url.rpartition(":")[2]), events))
            yield server
        finally:
            server.stop()


async def fill(port: int, events: int) -> None:
    """Record many events of one entity."""
    client = Client(port, "127.0.0.1", 0)
    for first in range(0, events, 100):
        commands = [claimed(number) for number in range(first, first + 100)]
        answer = await client.post(
            "mutation ($c: [CommandInput!]!) { record(commands: $c) { position } }",
            TOKEN,
            c=commands,
        )
        assert b'"errors"' not in answer, answer[:500]


def report(runs: Sequence[Isolation], seconds: float, events: int) -> str:
    """Return a Markdown table."""
    table = markdown(
        [
            "beside it",
            "p50 ms",
            "p99 ms",
            "worst ms",
            "no answer",
            "MB before",
            "MB at most",
            "MB after",
            "holds",
        ],
        [each.cells for each in runs],
    )
    return (
        f"{machine()}; {seconds:g} s a load from {CLIENTS} clients; an entity with {events}"
        f" events.\n\n{table}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or write to a page."""
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="seconds per load")
    parser.add_argument("--events", type=int, default=2000, help="number of events of one entity")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=LOADS,
        default=list(LOADS),
        metavar="LOAD",
        help=", ".join(LOADS),
    )
    chosen = parser.parse_args(arguments)
    with serving(chosen.events) as server:
        process = psutil.Process(server.process.pid)
        port = int(server.url.rpartition(":")[2])
        runs = []
        for load in (QUIET, *chosen.only):
            runs.append(uvloop.run(measure(load, port, process, chosen.seconds)))
            print(" | ".join(runs[-1].cells), file=sys.stderr, flush=True)
    publish("isolation", report(runs, chosen.seconds, chosen.events), chosen.write)


if __name__ == "__main__":
    main()
