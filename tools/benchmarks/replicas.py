"""Read replicas: readers on separate standbys compared with one on the primary.

    python -m tools.benchmarks.replicas [--rounds 5] [--seconds 4]

The shipped corpus is on a primary and two standbys of this machine. Each reader is a `tracker serve` that
gets queries for a list of a hundred controls without a cached result. The setups alternate in each round.
Ratios are those of one round, and the output has medians. On one machine all share its cores. So the CPU
time per response is shown too, which estimates the capacity of separate machines.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]

from deploy.bootstrap import prepare, running_tracker
from tests.support.processes import Running
from tests.support.replication import Server, running_primary
from tools.benchmarks.queries import post, request
from tracker.postgres.database import Target
from tracker.sources.importing.importer import import_file
from tracker.sources.readers import corpus_format

CONNECTIONS = 8
QUERY = request(
    "/graphql",
    json.dumps(
        {
            "query": '{ head asOf(validAt: "2025-11-20") { exportControls(first: 100)'
            " { nodes { key title clauses { key status } } } } }"
        }
    ).encode(),
)
"""`head` depends on the log, so that no response is cached."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A server, and the PostgreSQL that it reads from."""

    served: Running
    database: Server

    @property
    def port(self) -> int:
        """Return its port."""
        return int(urlsplit(self.served.url).port or 0)


@dataclass(frozen=True, slots=True)
class Answered:
    """Responses per second of all readers, and CPU time per response in ms: of servers, and of
    PostgreSQL."""

    rate: float
    served: float
    database: float


async def measure(readers: Sequence[Reader], seconds: float) -> Answered:
    """Query all readers concurrently, over the same total number of connections."""
    each = CONNECTIONS // len(readers)
    databases = {reader.database.port: reader.database for reader in readers}.values()
    before = sum(map(cpu_seconds, databases))
    answers = await asyncio.gather(
        *(
            post(each_.port, QUERY, each_.served.process.pid, seconds=seconds, connections=each)
            for each_ in readers
        )
    )
    rate = sum(one.rate for one in answers)
    worked = sum(map(cpu_seconds, databases)) - before
    return Answered(
        rate, sum(one.cpu * one.rate for one in answers) / rate, worked * 1000 / (rate * seconds)
    )


def cpu_seconds(server: Server) -> float:
    """Return the CPU time of all running processes of a PostgreSQL."""
    of = psutil.Process(server.pid)
    times = [one.cpu_times() for one in (of, *of.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))


async def load(target: Target) -> None:
    """Record the shipped corpus, and project it."""
    await prepare(target)
    async with running_tracker(target) as services:
        await import_file(target, corpus_format.READER, corpus_format.SHIPPED_CORPUS)
        await services.projector.reach(await services.recorder.head(), seconds=120)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    with ExitStack() as stack:
        primary = stack.enter_context(running_primary())
        asyncio.run(load(primary.target))
        standbys = [stack.enter_context(primary.standby(name)) for name in ("one", "two")]
        for standby in standbys:
            standby.wait_replayed(primary)
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))

        def reader(database: Server, **settings: str) -> Reader:
            served = Running(
                "serve", data_dir=place, **{"TRACKER_DATABASE_URL": primary.url, **settings}
            )
            stack.callback(served.stop)
            return Reader(served, database)

        on_primary = [reader(primary) for _ in range(2)]
        on_standbys = [reader(one, TRACKER_READ_DATABASE_URL=one.url) for one in standbys]
        ways = {
            "one reader on the primary": on_primary[:1],
            "two readers on the primary": on_primary,
            "two readers, each on a standby": on_standbys,
        }
        print(table(asyncio.run(alternate(ways, options.rounds, options.seconds))))


async def alternate(
    ways: Mapping[str, Sequence[Reader]], rounds: int, seconds: float
) -> dict[str, list[Answered]]:
    """Measure all setups in turn, after an unmeasured round."""
    results: dict[str, list[Answered]] = {way: [] for way in ways}
    for number in range(rounds + 1):
        for way, readers in ways.items():
            took = await measure(readers, seconds if number else 1)
            if number:
                results[way].append(took)
    return results


def table(results: Mapping[str, Sequence[Answered]]) -> str:
    """Return medians, and ratios to the first setup, as Markdown."""
    first = next(iter(results.values()))
    lines = [
        f"{os.cpu_count()} cores, shared by PostgreSQL, servers and the client",
        "",
        "| way | answers/s | ratio | ms of CPU an answer: server | PostgreSQL |",
        "| --- | --- | --- | --- | --- |",
    ]
    for way, taken in results.items():
        ratio = statistics.median(
            one.rate / base.rate for one, base in zip(taken, first, strict=True)
        )
        rate, served, database = (
            statistics.median(values)
            for values in zip(*((t.rate, t.served, t.database) for t in taken), strict=True)
        )
        lines.append(f"| {way} | {rate:.0f} | {ratio:.2f} | {served:.2f} | {database:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
