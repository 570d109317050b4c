"""What reading from replicas brings: readers on standbys of their own against one on the primary.

    python -m tools.benchmarks.replicas [--rounds 5] [--seconds 4]

The shipped corpus, on a primary and two standbys of this machine. Each reader is a `tracker serve`, and
is asked a list of a hundred controls that no memory has the answer to. In each round the ways take turns;
ratios are those of one round, and what is printed are medians. On one machine all share its cores: so
there is also what an answer costs in CPU time, which says what machines of their own would carry.
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
from tools.benchmarks.asking import ask, request
from tracker.postgres.database import Target
from tracker.sources.importing.importer import import_file
from tracker.sources.readers import corpus_format

CONNECTIONS = 8
QUESTION = request(
    "/graphql",
    json.dumps(
        {
            "query": '{ head asOf(validAt: "2025-11-20") { exportControls(first: 100)'
            " { nodes { key title clauses { key status } } } } }"
        }
    ).encode(),
)
"""`head` tells of the log, so that no answer is kept."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A server, and the PostgreSQL that it reads from."""

    served: Running
    database: Server

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(urlsplit(self.served.url).port or 0)


@dataclass(frozen=True, slots=True)
class Found:
    """Answers a second of all readers, and the CPU time of one: of servers, and of PostgreSQL, in ms."""

    rate: float
    served: float
    database: float


async def measure(readers: Sequence[Reader], seconds: float) -> Found:
    """Ask all readers at the same time, over as many connections in all."""
    each = CONNECTIONS // len(readers)
    databases = {reader.database.port: reader.database for reader in readers}.values()
    before = sum(map(cpu_seconds, databases))
    asked = await asyncio.gather(
        *(
            ask(each_.port, QUESTION, each_.served.process.pid, seconds=seconds, connections=each)
            for each_ in readers
        )
    )
    rate = sum(one.rate for one in asked)
    worked = sum(map(cpu_seconds, databases)) - before
    return Found(
        rate, sum(one.cpu * one.rate for one in asked) / rate, worked * 1000 / (rate * seconds)
    )


def cpu_seconds(server: Server) -> float:
    """The CPU time of all processes of a PostgreSQL that live."""
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
    given = parser.parse_args()
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
        print(table(asyncio.run(take_turns(ways, given.rounds, given.seconds))))


async def take_turns(
    ways: Mapping[str, Sequence[Reader]], rounds: int, seconds: float
) -> dict[str, list[Found]]:
    """Measure all ways in turns, after a round that does not count."""
    found: dict[str, list[Found]] = {way: [] for way in ways}
    for number in range(rounds + 1):
        for way, readers in ways.items():
            took = await measure(readers, seconds if number else 1)
            if number:
                found[way].append(took)
    return found


def table(found: Mapping[str, Sequence[Found]]) -> str:
    """Medians, and ratios to the first way, as Markdown."""
    first = next(iter(found.values()))
    lines = [
        f"{os.cpu_count()} cores, shared by PostgreSQL, servers and the client",
        "",
        "| way | answers/s | ratio | ms of CPU an answer: server | PostgreSQL |",
        "| --- | --- | --- | --- | --- |",
    ]
    for way, taken in found.items():
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
