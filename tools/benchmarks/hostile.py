"""Latency of a cheap query during loads of hostile clients.

    python -m tools.benchmarks.hostile [--only LOAD …] [--seconds 10] [--write docs/faults.md]

The clients of a load (`attacks.py`) run in a process of their own. Another client sends an uncached cheap
query ten times per second, each on a new connection.
"""

import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import psutil  # type: ignore[import-untyped]
import uvloop

from tests.support import processes
from tests.support.processes import Running, command
from tools.benchmarks.attacks import LOADS, RECORD, TOKEN, Client, claimed, got, posted
from tools.benchmarks.harness import machine, markdown, options, publish
from tracker import clock

QUIET = "nobody else"
INTERVAL_SECONDS = 0.1
SETTLE_SECONDS = 5
"""Seconds between the end of a load and the next one."""
AIMS = (1.0, 600.0)
"""Targets: the longest wait in seconds, and MB of memory."""
DELAY = re.compile(rb"^tracker_loop_delay_seconds (\S+)", re.MULTILINE)
TICKING = (
    "from schema.telemetry import metrics;"
    "metrics.BEAT_SECONDS, metrics.WINDOW_SECONDS = 0.005, 1;"
    "from deploy.cli.main import main; main()"
)
"""A tracker that measures the delay of its event loop every 5 ms, and forgets it after 2 s."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Waits for a cheap query beside a load in seconds, the longest gap of the server's event loop, the
    number of requests of the load, and the server's memory in MB."""

    load: str
    requests: int
    waits: Sequence[float]
    failures: int
    gap: float
    most: float

    @property
    def cells(self) -> list[str]:
        """Return a row of the table."""
        cuts = statistics.quantiles([*self.waits, *self.waits], n=100, method="inclusive")
        times = (cuts[49], cuts[98], max(self.waits), self.gap)
        holds = max(self.waits) < AIMS[0] and self.most < AIMS[1] and not self.failures
        return [
            self.load,
            f"{self.requests:,}",
            *(f"{1000 * each:,.0f}" for each in times),
            str(self.failures),
            f"{self.most:,.0f}",
            "yes" if holds else "**no**",
        ]


def query(day: str) -> bytes:
    """Return a cheap query, uncached on a new day."""
    text = "query Cheap($d: Day) { asOf(validAt: $d) { exportControl(id: %s) { title } } }"
    return posted({"query": text % '"cn-mofcom-2024-46"', "variables": {"d": day}})


async def query_lane(client: Client, waits: list[float]) -> int:
    """Send queries until the client's time is over, and return the number of failures."""
    failures = 0
    while client.has_time:
        started = time.monotonic()
        answer = b""
        with suppress(OSError, TimeoutError):
            answer = await client.send(query(client.day()))
        failures += not answer.startswith(b"HTTP/1.1 200")
        waits.append(time.monotonic() - started)
        await asyncio.sleep(max(0, started + INTERVAL_SECONDS - time.monotonic()))
    return failures


async def watch(
    client: Client, process: psutil.Process, gaps: list[float], mb: list[float]
) -> None:
    """Record the delay of the server's event loop and its memory until cancelled."""
    while True:
        mb.append(float(process.memory_info().rss) / 1e6)
        with suppress(OSError, TimeoutError):
            answer = await client.send(got("/metrics"))
            gaps += map(float, DELAY.findall(answer))
        await asyncio.sleep(0.5)


async def measure(
    load: str, port: int, process: psutil.Process, seconds: float, settle: float = SETTLE_SECONDS
) -> Beside:
    """Measure a cheap query during a load, which has begun."""
    gaps, memories, waits, requests = [0.0], [0.0], list[float](), b"0"
    attacks = None
    if load != QUIET:
        arguments = [
            sys.executable,
            "-m",
            "tools.benchmarks.attacks",
            load,
            str(port),
            str(seconds),
        ]
        attacks = subprocess.Popen(arguments, stdout=subprocess.PIPE)
        assert attacks.stdout
        assert await asyncio.to_thread(attacks.stdout.readline) == b"begun\n"
    client = Client(port, "127.0.0.1", time.monotonic() + seconds)
    watching = asyncio.create_task(watch(client, process, gaps, memories))
    try:
        failures = await query_lane(client, waits)
        if attacks:
            requests, _ = await asyncio.to_thread(attacks.communicate, timeout=60)
    finally:
        if attacks:
            attacks.kill()
            attacks.wait()
        watching.cancel()
    await asyncio.sleep(settle)
    return Beside(load, int(requests), waits, failures, max(gaps), max(memories))


@contextmanager
def serving(events: int) -> Iterator[Running]:
    """Run a server on the corpus, with an entity of many events."""
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as directory:
        os.chmod(directory, 0o755)
        data_dir = Path(directory) / "data"
        corpus = Path(__file__).parents[2] / "tracker" / "corpus" / "corpus.jsonl"
        assert command("import", str(corpus), data_dir=data_dir).returncode == 0
        with mock.patch.object(processes, "TRACKER", (sys.executable, "-c", TICKING)):
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
        answer = await client.post(RECORD, TOKEN, c=commands)
        assert b'"errors"' not in answer or b'"UNAVAILABLE"' in answer, answer[:500]


def report(runs: Sequence[Beside], seconds: float, events: int) -> str:
    """Return a Markdown table, with the commit, the day and the load of the machine."""
    header = ["load", "requests", "p50 ms", "p99 ms", "worst ms", "loop gap ms", "no answer", "MB"]
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return (
        f"{machine()}, load average {os.getloadavg()[2]:.1f}; commit {commit},"
        f" {clock.now():%-d %B %Y}; {seconds:g} s a load; an entity with {events} events.\n\n"
        + markdown([*header, "holds"], [each.cells for each in runs])
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or write to a page."""
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="seconds per load")
    parser.add_argument("--events", type=int, default=2000, help="number of events of one entity")
    loads = {"nargs": "+", "choices": LOADS, "default": [*LOADS], "metavar": "LOAD"}
    parser.add_argument("--only", help=", ".join(LOADS), **loads)  # type: ignore[arg-type]
    chosen = parser.parse_args(arguments)
    runs = []
    with serving(chosen.events) as server:
        process, port = psutil.Process(server.process.pid), int(server.url.rpartition(":")[2])
        for load in (QUIET, *chosen.only):
            runs.append(uvloop.run(measure(load, port, process, chosen.seconds)))
            print(" | ".join(runs[-1].cells), file=sys.stderr, flush=True)
    publish("hostile", report(runs, chosen.seconds, chosen.events), chosen.write)


if __name__ == "__main__":
    main()
