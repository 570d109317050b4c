"""The short set of benchmarks: one round of a group, as JSON; for all figures more is better.

    python -m tools.benchmarks.short GROUP

`compare.py` runs it in two checkouts. Imports are in functions, so that groups run on commits that lack the
modules of others.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

SECONDS = 2.0
Figures = Mapping[str, float]


async def commands(target: Any) -> Figures:
    """Measure commands of 1 and 16 writers."""
    from tools.benchmarks.commands import commands as measured
    from tools.benchmarks.harness import database
    from tools.benchmarks.load import Load

    figures = {}
    for writers in (1, 16):
        async with database(target) as own:
            rate = await measured(own, Load(writers, seconds=SECONDS))
        figures[f"commands/s, writers: {writers}"] = rate
    return figures


async def projection(target: Any) -> Figures:
    """Measure an import of the corpus with its projection, and a rebuild."""
    from deploy.bootstrap import running_tracker
    from projections.runner.rebuild import rebuild
    from projections.versions.projection import Versions
    from tracker.sources.importing.importer import import_file
    from tracker.sources.readers import corpus_format

    async with running_tracker(target) as services:
        began = time.perf_counter()
        await import_file(target, corpus_format.READER, corpus_format.SHIPPED_CORPUS)
        count = await services.recorder.head()
        await services.projector.reach(count, seconds=120)
        imported = time.perf_counter() - began
    began = time.perf_counter()
    await rebuild(target, Versions())
    rebuilt = time.perf_counter() - began
    return {"import, events/s": count / imported, "rebuild, events/s": count / rebuilt}


async def graphql(target: Any) -> Figures:
    """Measure a query without a cache of responses, and with one."""
    from tools.benchmarks.graphql import CONNECTIONS, MEGABYTES, OWN_QUERY, own_rows, rows, started
    from tools.benchmarks.queries import post, request

    await rows(target)
    sent = request("/graphql", json.dumps({"query": OWN_QUERY}).encode())
    figures = {}
    for name, cache_bytes in (("uncached", 0), ("repeated", MEGABYTES)):
        with started(own_rows(target, cache_bytes)) as (port, process):
            await asyncio.sleep(1)  # the port is printed before the server accepts
            for seconds in (SECONDS / 2, SECONDS):  # a warm-up first
                done = await post(port, sent, process, seconds=seconds, connections=CONNECTIONS)
        figures[f"GraphQL, {name}, requests/s"] = done.rate
    return figures


def start() -> Figures:
    """Measure a cold and a warm start."""
    from tools.benchmarks.starting import cold_and_warm

    cold, warm = cold_and_warm()
    figures = {"cold starts": cold.seconds, "warm starts": warm.seconds}
    figures |= {"cold starts by CPU time": cold.cpu, "warm starts by CPU time": warm.cpu}
    return {f"{name}, a minute": 60 / seconds for name, seconds in figures.items()}


def on_server(measure: Callable[[Any], Coroutine[Any, Any, Figures]]) -> Figures:
    """Run a measurement on a new PostgreSQL."""
    from deploy.cli.process import run
    from tools.benchmarks.harness import server

    with server() as target:
        return run(measure(target))


GROUPS: Mapping[str, Callable[[], Figures]] = {
    "commands": lambda: on_server(commands),
    "projection": lambda: on_server(projection),
    "graphql": lambda: on_server(graphql),
    "start": start,
}

if __name__ == "__main__":
    print(json.dumps(GROUPS[sys.argv[1]]()))
