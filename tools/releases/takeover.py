"""Measure how long nobody answers while a newer release takes over the rows of all projections.

    python -m tools.releases.takeover EVENTS

A server of this checkout answers on a log of as many events, grown from the corpus. A server of a copy, in
which one line of the domain differs, starts beside it, rebuilds all rows and takes them over. Two writers and
four readers, whose queries no cache answers, use both servers.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from deploy.bootstrap import open_connection, prepare
from deploy.postgres import Postgres
from tests.support.checkout import ROOT
from tests.support.processes import Running
from tests.support.releases import (
    CHANGES,
    CHEAP_ANSWER,
    Gap,
    Release,
    Writer,
    copy_changed,
    post,
    readiness,
)
from tools.benchmarks.growth import corpus, grown, load
from tracker.postgres.database import Target


def main(events: int) -> None:
    """Print the seconds of the rebuild, and the longest time without an answer."""
    with tempfile.TemporaryDirectory(prefix="tracker-takeover-") as temporary:
        directory = Path(temporary)
        os.chmod(directory, 0o755)
        with Postgres.start(directory / "data") as postgres:
            target = postgres.connection.kwargs()
            asyncio.run(fill(target, events))
            measure(Release(ROOT, target, directory / "keys"), directory / "newer", events)


async def fill(target: Target, events: int) -> None:
    """Append the events to an empty log."""
    await prepare(target)
    async with open_connection(target) as connection:
        await load(connection, grown(corpus()), 0, events)


def measure(own: Release, directory: Path, events: int) -> None:
    """Let a newer release take over under load, and print the result."""
    newer = Release(copy_changed(directory, *CHANGES["domain"]), own.target, own.data_dir)
    before = own.serve()
    wait_ready(before)
    while "errors" in post(before, CHEAP_ANSWER):  # until its search index is filled
        time.sleep(1)
    print(f"{events} events: the older server is ready", flush=True)
    with Writer(before, "first") as first, Gap(CHEAP_ANSWER) as gap:
        gap.add(own, before)
        time.sleep(2)
        after = newer.serve()
        started = time.monotonic()
        gap.add(newer, after)
        with Writer(after, "second") as second:
            wait_ready(after)
            seconds = time.monotonic() - started
            time.sleep(3)
    print(
        f"{events} events: rebuilt and taken over in {seconds:.1f} s",
        f"handover {gap.handover(own, newer):.2f} s",
        f"longest time without an answer {gap.seconds:.2f} s",
        f"{len(gap.wrong)} wrong answers",
        f"acknowledged {len(first.acknowledged)} and {len(second.acknowledged)}",
        f"failures {first.failures | second.failures}",
        sep="; ",
        flush=True,
    )
    before.stop()
    after.stop()


def wait_ready(server: Running) -> None:
    """Wait until a server is ready."""
    while readiness(server)[0] != 200:
        time.sleep(0.2)


if __name__ == "__main__":
    main(int(sys.argv[1]))
