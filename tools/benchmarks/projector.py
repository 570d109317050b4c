"""Projected events per second, compared with the eventsourcing library's ProjectionRunner.

    python -m tools.benchmarks.projector [--events 200000]

`rebuild` rebuilds the projection. `import` projects a complete log page by page into the live tables. The
table also has the CPU time of Python and of PostgreSQL in microseconds per event. Their sum gives the upper
limit of one core. The peer's view is one row per event, with its tracking in the same transaction: it folds
nothing. It needs `psycopg[binary,pool]`.
"""

import argparse
import asyncio
import os
import platform
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from deploy.bootstrap import prepare
from deploy.cli.process import run
from deploy.postgres import Postgres
from projections.runner.projector import Projector
from projections.runner.rebuild import rebuild
from projections.versions.projection import Versions
from tools.benchmarks.growth import grown, load, python
from tools.benchmarks.load import corpus
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import PROJECTOR, Target, connect, create_pool

TICKS = os.sysconf("SC_CLK_TCK")
PEER_EVENTS = 3000


def busy(data_dir: Path) -> float:
    """Return the CPU seconds of the server, including ended processes."""
    server = int((data_dir / "pgdata" / "postmaster.pid").read_text().split()[0])
    used = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == server:
            used += sum(map(int, fields[11:15]))
        elif int(fields[1]) == server:
            used += sum(map(int, fields[11:13]))
    return used / TICKS


async def line(name: str, count: int, data_dir: Path, work: Callable[[], Awaitable[Any]]) -> None:
    """Run work on some events and print its line of the table."""
    own, servers, started = python(), busy(data_dir), time.perf_counter()
    await work()
    seconds = time.perf_counter() - started
    own_cost = (python() - own) / count * 1e6
    server_cost = (busy(data_dir) - servers) / count * 1e6
    print(
        f"| {name} | {count / seconds:,.0f} | {own_cost:.0f} | {server_cost:.0f} |"
        f" {1e6 / (own_cost + server_cost):,.0f} |",
        flush=True,
    )


async def measure(target: Target, data_dir: Path, size: int) -> None:
    """Measure our projector."""
    await prepare(target)
    connection = await connect(target)
    await load(connection, grown(corpus()), 0, size)
    await line("rebuild", size, data_dir, partial(rebuild, target, Versions()))
    async with await create_pool(target, role=PROJECTOR) as pool:
        await connection.execute(
            "TRUNCATE versions, elements, subjects, texts, facts, fact_sums;"
            " UPDATE progress SET position = 0 WHERE projection = 'versions'"
        )
        projector = Projector(pool, Follower(Recorder(pool), target), Versions())
        await line("import", size, data_dir, projector.catch_up)
    await connection.close()


async def measure_peer(target: Target, data_dir: Path) -> None:
    """Measure the library's runner, with the corpus' first events as its own facts."""
    from tools.benchmarks.library_runner import filled, follow

    environment = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": target["database"],
        "POSTGRES_HOST": target["host"],
        "POSTGRES_PORT": str(target["port"]),
        "POSTGRES_USER": target["user"],
        "POSTGRES_PASSWORD": "unused",
    }
    last = filled(environment, [event.data.decode() for event in corpus()[:PEER_EVENTS]])
    await line(
        "eventsourcing ProjectionRunner",
        PEER_EVENTS,
        data_dir,
        lambda: asyncio.to_thread(follow, environment, last),
    )


def main() -> None:
    """Run on a separate server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    size = parser.parse_args().events
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" load {os.getloadavg()[1]:.1f}, {size:,} events"
    )
    print(
        "| | events/s | µs an event in Python | in PostgreSQL | events/s if one core did both |\n"
        "| --- | --- | --- | --- | --- |"
    )
    with tempfile.TemporaryDirectory() as name:
        data_dir = Path(name) / "data"
        os.chmod(name, 0o755)
        with Postgres.start(data_dir) as postgres:
            target = postgres.connection.kwargs()
            run(measure(target, data_dir, size))
            try:
                run(measure_peer(target, data_dir))
            except ImportError as error:
                print(f"\nThe peer is left out: {error}")


if __name__ == "__main__":
    main()
