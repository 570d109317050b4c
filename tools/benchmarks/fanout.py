"""Delivery lag for many followers, and their cost for a writer.

    python -m tools.benchmarks.fanout [--only WAY …] [--followers 10000] [--seconds 20] [--write PAGE]

One server on the shipped corpus has one core (Linux) for its API. Followers all send the same request
(`following.py`), while a writer records an announcement several times per second. In alternation it does so
on a server without followers. It needs one descriptor per follower on both sides: see `ulimit -n`.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from tests.support.api import control
from tests.support.processes import Running, command
from tools.benchmarks.following import WAYS, Followed
from tools.benchmarks.harness import machine, markdown, options, publish
from tools.benchmarks.queries import cpu

TOKEN = "benchmark"
ROUNDS = 4
"""Number of alternations between the server with followers and the quiet one."""
WARM_UP_MUTATIONS = 20
"""Mutations before the first measurement."""
SPARE_CONNECTIONS = 100
"""Connections beyond those of the followers."""
AIMS = (1000.0, 1.1)
"""Targets: milliseconds of the 99th percentile of delivery, and the ratio of mutation times."""
MUTATION = (
    "mutation ($input: AnnounceExportControlInput!)"
    " { announceExportControl(input: $input) { position event { recordedAt } } }"
)


@dataclass(frozen=True, slots=True)
class Written:
    """The events of a writer: seconds of each mutation, and times of recording."""

    seconds: list[float]
    recorded: dict[int, float]

    @property
    def p50(self) -> float:
        """Return the median in milliseconds."""
        return 1000 * statistics.median(self.seconds)

    @property
    def p90(self) -> float:
        """Return the ninth decile in milliseconds."""
        return 1000 * statistics.quantiles(self.seconds, n=10, method="inclusive")[8]


@dataclass(frozen=True, slots=True)
class Fanout:
    """Measurements of one method of following."""

    way: str
    followers: int
    followed: Followed
    alone: Written
    beside: Written
    cpu: float
    """Microseconds of server CPU per event and follower."""
    idle: float
    """Share of its core that a server uses for idle followers."""
    memory: float
    """Kilobytes per follower."""

    @property
    def slower(self) -> float:
        """Return the ratio of the median mutation times with and without followers."""
        return self.beside.p50 / self.alone.p50

    @property
    def holds(self) -> bool:
        """Whether the targets are met."""
        followed = self.followed
        return (
            followed.p99 < AIMS[0]
            and self.slower <= AIMS[1]
            and not (followed.missed or followed.doubled or followed.ended)
        )

    @property
    def cells(self) -> list[str]:
        """Return a row of the table."""
        followed = self.followed
        return [
            self.way,
            f"{self.followers:,}",
            *(f"{each:,.0f}" for each in (followed.p50, followed.p99, followed.worst)),
            str(followed.missed + followed.ended),
            str(followed.doubled),
            *(f"{each.p50:.1f} / {each.p90:.1f}" for each in (self.alone, self.beside)),
            f"{self.slower:.2f}",
            f"{self.cpu:,.1f}",
            f"{100 * self.idle:.1f}",
            f"{self.memory:,.0f}",
            "yes" if self.holds else "**no**",
        ]


HEADER = [
    "followers over",
    "",
    "p50 ms",
    "p99 ms",
    "worst ms",
    "missed",
    "doubled",
    "mutation alone, p50 / p90 ms",
    "beside them",
    "times",
    "CPU µs an event and follower",
    "% of a core in silence",
    "KB a follower",
    "holds",
]


class Writer:
    """A client that records announcements over one connection."""

    def __init__(self, port: int):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.written = Written([], {})

    def record(self) -> tuple[float, int, float]:
        """Record one announcement, and return its seconds, position and recording time."""
        body = {"query": MUTATION, "variables": {"input": control(f"f{time.time_ns()}")}}
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        started = time.perf_counter()
        self._connection.request("POST", "/graphql", json.dumps(body), headers)
        answer = json.loads(self._connection.getresponse().read())
        seconds = time.perf_counter() - started
        announced = answer["data"]["announceExportControl"]
        recorded = datetime.fromisoformat(announced["event"]["recordedAt"]).timestamp()
        return seconds, int(announced["position"]), recorded

    def write(self, seconds: float, rate: float) -> None:
        """Record announcements at a rate for some seconds, over a new connection."""
        self._connection.close()
        started = time.monotonic()
        for number in range(int(seconds * rate)):
            time.sleep(max(0, started + number / rate - time.monotonic()))
            took, position, since = self.record()
            self.written.seconds.append(took)
            self.written.recorded[position] = since


def metric(url: str, name: str) -> float:
    """Return a value from `/metrics`."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=60) as response:
        for line in response.read().decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
    raise LookupError(name)


@contextmanager
def following(way: str, port: int, followers: int) -> Iterator[subprocess.Popen[str]]:
    """Run a process with connected followers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.benchmarks.following", way, str(port), str(followers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if line != "ready\n":
            raise RuntimeError(f"the followers did not get in: {line}")
        yield process
    finally:
        process.kill()
        process.wait()


def measure(
    server: Running, quiet: Running, way: str, followers: int, seconds: float, rate: float
) -> Fanout:
    """Measure a method of following, in alternation with a quiet server."""
    port, process = port_of(server), psutil.Process(server.process.pid)
    beside, alone = Writer(port), Writer(port_of(quiet))
    for writer in (beside, alone):
        writer.write(WARM_UP_MUTATIONS / rate / 4, 4 * rate)
        writer.written = Written([], {})
    before = process.memory_info().rss
    own = metric(server.url, "tracker_followers")  # as the deliverer is one
    with following(way, port, followers) as client:
        if way != "world-changed":
            wait_for_followers(server.url, own + followers)
        time.sleep(1)
        memory = process.memory_info().rss - before
        spent = cpu(process.pid)
        time.sleep(seconds / 2)
        idle = (cpu(process.pid) - spent) / (seconds / 2)
        spent = cpu(process.pid)
        for _ in range(ROUNDS):
            for writer in (beside, alone):
                writer.write(seconds / ROUNDS, rate)
                time.sleep(1)
        assert client.stdin is not None
        assert client.stdout is not None
        print(json.dumps(beside.written.recorded), file=client.stdin, flush=True)
        followed = Followed(**json.loads(client.stdout.readline()))
        spent = cpu(process.pid) - spent
    wait_for_followers(server.url, own)
    cost = 1e6 * spent / max(1, followed.delivered)
    kilobytes = memory / 1000 / followers
    return Fanout(way, followers, followed, alone.written, beside.written, cost, idle, kilobytes)


def port_of(server: Running) -> int:
    """Return the port of a server."""
    return int(server.url.rpartition(":")[2])


def wait_for_followers(url: str, followers: float) -> None:
    """Wait until all followers are connected."""
    until = time.monotonic() + 60
    while metric(url, "tracker_followers") != followers:
        if time.monotonic() > until:
            raise TimeoutError(
                f"{metric(url, 'tracker_followers'):.0f} follow, not {followers:.0f}"
            )
        time.sleep(0.2)


@contextmanager
def corpus() -> Iterator[Path]:
    """Create a data directory with the shipped corpus in its log."""
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as directory:
        os.chmod(directory, 0o755)
        data_dir = Path(directory) / "data"
        shipped = Path(__file__).parents[2] / "tracker" / "corpus" / "corpus.jsonl"
        assert command("import", str(shipped), data_dir=data_dir).returncode == 0
        yield data_dir


@contextmanager
def serving(data_dir: Path, followers: int, **settings: str) -> Iterator[Running]:
    """Run a server with room for the followers, its API on the first core."""
    server = Running(
        "serve",
        data_dir=data_dir,
        TRACKER_WRITE_TOKEN=TOKEN,
        TRACKER_CONNECTIONS=str(followers + SPARE_CONNECTIONS),
        **settings,
    )
    with suppress(AttributeError):  # macOS
        os.sched_setaffinity(server.process.pid, {0})
    try:
        yield server
    finally:
        server.stop()


def report(runs: Sequence[Fanout], seconds: float, rate: float) -> str:
    """Return a Markdown table."""
    description = (
        f"{machine()}; {rate:g} events a second for {seconds:g} s; of the rounds the median one."
    )
    return f"{description}\n\n{markdown(HEADER, [each.cells for each in runs])}"


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the options."""
    parser = options(str(__doc__))
    parser.set_defaults(rounds=1)
    parser.add_argument("--seconds", type=float, default=20, help="seconds of writing")
    parser.add_argument("--rate", type=float, default=2, help="events per second")
    parser.add_argument("--followers", type=int, default=10_000, help="number per method")
    parser.add_argument(
        "--only", nargs="+", choices=WAYS, default=list(WAYS), metavar="WAY", help=", ".join(WAYS)
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or write to a page."""
    chosen = parsed(arguments)
    results: list[Any] = []
    with corpus() as first, corpus() as second, serving(second, 0) as quiet:
        for way in chosen.only:
            runs = []
            for _ in range(chosen.rounds):
                with serving(first, chosen.followers) as server:
                    runs.append(
                        measure(server, quiet, way, chosen.followers, chosen.seconds, chosen.rate)
                    )
            results.append(sorted(runs, key=lambda run: run.followed.p99)[len(runs) // 2])
            print(" | ".join(results[-1].cells), file=sys.stderr, flush=True)
    publish("fanout", report(results, chosen.seconds, chosen.rate), chosen.write)


if __name__ == "__main__":
    main()
