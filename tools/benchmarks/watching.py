"""Cost of fetches: new documents in one poll, then the same ones unchanged.

    python -m tools.benchmarks.watching [--fetches 10000] [--write PAGE]

A watcher on a separate database and a publisher run in one process, without pauses. Each fetch is a request
over a socket, a snapshot, an event of the log and a stored address; each document is a candidate. For
comparison aiohttp sends the same requests without storage.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import psutil  # type: ignore[import-untyped]
import uvloop

from tests.support.publishers.server import playing
from tests.support.watching import GAZETTE, Gazette, options, source
from tools.benchmarks.harness import database, machine, markdown, publish, server
from tools.benchmarks.harness import options as arguments_of
from tracker.postgres.database import Target
from tracker.review.finding import Lead, LeadCode, Origin
from tracker.watch import poll as poll_module
from tracker.watch.adapter import PollResult, Request
from tracker.watch.watcher import Watcher


@dataclass(frozen=True)
class Taken:
    """The cost of a pass."""

    seconds: float
    cpu_seconds: float
    """CPU seconds of this process, including the publisher, without PostgreSQL."""
    megabytes: float
    events: int
    candidates: int


def adapter_of(fetches: int) -> Any:
    """Return an adapter that fetches every act of the gazette, known or not."""

    def poll(settings: Any, cursor: Any, today: Any) -> Any:
        for number in range(1, fetches + 1):
            url = f"{settings.address}/act/a{number}"
            response = yield Request(url)
            if not response.unchanged:
                origin = Origin(f"a{number}", response.text(), response.sha256, url)
                yield Lead(origin, "It is new", LeadCode.ANNOUNCED)
        return PollResult({})

    return poll


async def measure(target: Target, fetches: int) -> dict[str, Taken]:
    """Measure on a new database."""
    poll_module.MAX_REQUESTS = max(poll_module.MAX_REQUESTS, fetches + 1)
    gazette = Gazette(fetches)
    results: dict[str, Taken] = {}
    async with playing(gazette) as played:
        watched = options(
            source(played.url), find_adapter=lambda _: replace(GAZETTE, poll=adapter_of(fetches))
        )
        results["requests alone"] = await alone(played.url, fetches)
        for name in ("new documents", "unchanged documents"):
            before, used, started = memory(), time.process_time(), time.perf_counter()
            [report] = await Watcher(target, watched).poll_once()
            seconds, used = time.perf_counter() - started, time.process_time() - used
            assert report.complete, report.failure
            results[name] = Taken(
                seconds, used, max(memory() - before, 0), fetches + 1, report.candidates
            )
    return results


async def alone(url: str, fetches: int) -> Taken:
    """Send the same requests sequentially over one connection."""
    before, used, started = memory(), time.process_time(), time.perf_counter()
    async with aiohttp.ClientSession() as session:
        for number in range(1, fetches + 1):
            async with session.get(f"{url}/act/a{number}") as response:
                await response.read()
    seconds, used = time.perf_counter() - started, time.process_time() - used
    return Taken(seconds, used, memory() - before, 0, 0)


def memory() -> float:
    """Return the memory of this process in MB."""
    return float(psutil.Process().memory_info().rss) / 1e6


def report(results: dict[str, Taken], fetches: int) -> str:
    """Return the table."""
    rows = [
        (
            name,
            f"{taken.seconds:.1f}",
            f"{taken.seconds / fetches * 1000:.2f}",
            f"{taken.cpu_seconds / fetches * 1000:.2f}",
            f"{taken.megabytes:.0f}",
            f"{taken.events:,}",
            f"{taken.candidates:,}",
        )
        for name, taken in results.items()
    ]
    head = [
        f"{fetches:,} fetches",
        "seconds",
        "ms a fetch",
        "ms of CPU",
        "MB more",
        "events",
        "candidates",
    ]
    return markdown(head, rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = arguments_of(__doc__ or "")
    parser.add_argument("--fetches", type=int, default=10_000)
    options = parser.parse_args(arguments)
    with server() as running:
        results = uvloop.run(measured(running, options.fetches))
    text = f"{machine()}. One round.\n\n{report(results, options.fetches)}"
    publish("watching", text, options.write)


async def measured(running: Target, fetches: int) -> dict[str, Taken]:
    """Measure on a new database of a server."""
    async with database(running) as target:
        return await measure(target, fetches)


if __name__ == "__main__":
    main()
