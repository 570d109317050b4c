"""The write load: content, writers and duration, with the loops that count it."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from tests.support.corpus_lines import shipped_lines
from tests.support.fact_builders import announced, clause
from tracker.commands.decisions import decide_all, rehydrate
from tracker.domain.basics.codec import encode
from tracker.log.entries import SOURCE, NewEvent
from tracker.sources.readers.corpus_format import parse_line

BYTES = 600
"""Bytes of an event's data."""

FACT = announced(clause(note="x" * (BYTES + 1 - len(encode(announced(clause(note="x")))))))
TYPE = "ExportControl.Announced"
DATA = encode(FACT)

MOST_CONNECTIONS = 64
"""Connection limit for peers with one connection per writer: the server allows 100."""


@dataclass(frozen=True, slots=True)
class Load:
    """A number of writers, each sending commands of `size` events sequentially."""

    writers: int = 1
    size: int = 1
    seconds: float = 3

    @property
    def title(self) -> str:
        """Return the title of a column."""
        writers = "1 writer" if self.writers == 1 else f"{self.writers} writers"
        return writers if self.size == 1 else f"{writers}, {self.size} events a command"

    @property
    def connections(self) -> int:
        """Return the number of connections for a peer with one per writer."""
        return min(self.writers, MOST_CONNECTIONS)


def new_events(name: str, count: int) -> list[NewEvent]:
    """Return the first events of a new stream."""
    stream = f"export-control/{name}"
    return [
        NewEvent(
            f"{name}-{version}",
            stream,
            version,
            TYPE,
            _attributes(f"{name}-{version}", stream, version),
            DATA,
        )
        for version in range(1, count + 1)
    ]


def _attributes(event_id: str, stream: str, version: int) -> str:
    return (
        f'"id":"{event_id}","source":"{SOURCE}","type":"{TYPE}","subject":"{stream}"'
        f',"version":{version},"dataschema":"{SOURCE}:schema:{TYPE}:1"'
    )


def corpus(count: int | None = None) -> list[NewEvent]:
    """Return the first `count` events of the shipped corpus, by default all."""
    orders = [parse_line(line) for line in islice(shipped_lines(), count)]
    entities = {order.stream: rehydrate(order.stream, []) for order in orders}
    events, refused = decide_all(entities, orders, entities)
    assert not refused
    return events


def entry_of(event: NewEvent, position: int) -> bytes:
    """Return the bytes of an event in the log, for peers that store as many."""
    return (
        b'{"specversion":"1.0","position":"%d","time":"2025-07-01T12:00:00.000000Z",%b,'
        b'"data":%b}' % (position, event.attributes.encode(), event.data)
    )


ENTRY = entry_of(new_events("w64-100000", 1)[0], 100_000)


async def rate(load: Load, work: Callable[[str], Awaitable[object]]) -> float:
    """Return events per second of tasks that call `work` with a new name each; each call is one command."""
    names = map(str, itertools.count())

    async def write(until: float) -> int:
        done = 0
        while time.perf_counter() < until:
            await work(f"w{load.writers}-{next(names)}")
            done += 1
        return done

    async def run(seconds: float) -> float:
        start = time.perf_counter()
        done = await asyncio.gather(*(write(start + seconds) for _ in range(load.writers)))
        return sum(done) * load.size / (time.perf_counter() - start)

    await run(_warm_up(load))
    return await run(load.seconds)


async def threaded_rate(load: Load, work: Callable[[str], object]) -> float:
    """Return events per second of threads that call `work`."""
    names = map(str, itertools.count())

    def write(until: float) -> int:
        done = 0
        while time.perf_counter() < until:
            work(f"w{load.writers}-{next(names)}")
            done += 1
        return done

    def run(seconds: float) -> float:
        start = time.perf_counter()
        done = list(threads.map(write, [start + seconds] * load.writers))
        return sum(done) * load.size / (time.perf_counter() - start)

    with ThreadPoolExecutor(load.writers) as threads:
        await asyncio.to_thread(run, _warm_up(load))
        return await asyncio.to_thread(run, load.seconds)


def _warm_up(load: Load) -> float:
    """Return the seconds of warm-up for statements and connections."""
    return min(load.seconds / 4, 0.5)
