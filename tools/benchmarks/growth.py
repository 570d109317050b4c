"""Cost of as-of queries while history grows.

    python -m tools.benchmarks.growth [--sizes 10000,100000,1000000] [--rounds 300]

The log is the shipped corpus with repeated variations: every figure for another year or grade, every export
control with another issuer, and one claim in eight retracted and recorded again. So the queried data keep
their size, with ever more history. Queries use random days and positions, on logs of all sizes in turn. Each
query runs a second time with warm caches.

The production query is compared with a fold of the events of its figures.
"""

import argparse
import os
import platform
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import uvloop

from deploy.bootstrap import prepare
from deploy.postgres import Postgres
from projections.fold.timeline import timeline
from projections.query.as_of import PLANNED_ONCE, AsOf
from projections.query.lists import Filter, KeyRange
from projections.query.moment import Moment
from projections.runner.rebuild import rebuild
from projections.versions.projection import Versions
from tools.benchmarks.load import corpus
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.figures.figure import FigureState
from tracker.log.entries import NewEvent
from tracker.log.recorder import Recorder
from tracker.postgres.database import Connection, Target, connect, create_pool

OTHERS = ("CL", "PE", "ZM", "NO", "FI", "MA", "NA", "TH", "PH", "BO")
"""Places that issue no control of the corpus."""

FAR_YEAR = 2030
"""The first year of projections that keep their year."""
STAMP = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = ("position", "event_id", "stream", "version", "type", "recorded_at", "entry")
BATCH = 20_000
PYTHON = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
AGAIN = ", again"
"""Suffix of the name of a repeated query."""

AsyncQuery = Callable[[Moment], Awaitable[Any]]


def grown(events: list[NewEvent]) -> Iterator[NewEvent]:
    """Yield the corpus, and then endless variations."""
    yield from events
    last = {event.stream: event for event in events}
    for cycle in count(1):
        for index, event in enumerate(events):
            if event.type == "Figure.Claimed":
                yield elsewhere(event, cycle)
                if event.version == 1 and (index + cycle) % 8 == 0:
                    retraction, last[event.stream] = corrected(last[event.stream], cycle)
                    yield from (retraction, last[event.stream])
            elif event.type.startswith("ExportControl."):
                yield elsewhere(event, cycle)


def elsewhere(event: NewEvent, cycle: int) -> NewEvent:
    """Return the event for another entity: another grade and year, another issuer.

    Projections for far years keep their year, because no series ends after 2100.
    """
    data = msgspec.json.decode(event.data)
    if "issuer" in data:
        data["issuer"] = OTHERS[cycle % len(OTHERS)]
    if "series" not in data:
        return copied(event, f"{event.stream}.{cycle}", event.version, f"{cycle}", data)
    series = data["series"] = dict(data["series"])
    if series.get("period", FAR_YEAR) < FAR_YEAR:
        for name in {"period", "until"} & {*series}:
            series[name] += 16 * (cycle % 4)
    series["form"] = f"{series.get('form', 'any')[:50].rstrip('_')}_{cycle}"
    years = "-".join(str(series[name]) for name in ("period", "until") if name in series)
    parts = [
        series[name]
        for name in ("commodity", "place", "statistic", "stage", "form")
        if name in series
    ]
    stream = "/".join(filter(None, ["figure", *parts, years]))
    return copied(event, stream, event.version, f"{cycle}", data)


def corrected(event: NewEvent, cycle: int) -> tuple[NewEvent, NewEvent]:
    """Return the retraction of a claim, and the claim recorded again."""
    data = msgspec.json.decode(event.data)
    retraction = copied(
        event,
        event.stream,
        event.version + 1,
        f"x{cycle}",
        {"source": data["source"], "retracts": event.event_id, "reason": "misread"},
    )
    return retraction, copied(event, event.stream, event.version + 2, f"r{cycle}", data)


def copied(event: NewEvent, stream: str, version: int, suffix: str, data: Any) -> NewEvent:
    """Return an event with another name and content."""
    type_ = "Figure.Retracted" if "retracts" in data else event.type
    event_id = f"{event.event_id.partition('~')[0]}~{suffix}"
    attributes = msgspec.json.decode(b"{%s}" % event.attributes.encode())
    attributes |= {"id": event_id, "subject": stream, "version": version, "type": type_}
    text = msgspec.json.encode(attributes)[1:-1].decode()
    return NewEvent(event_id, stream, version, type_, text, msgspec.json.encode(data))


def row(position: int, event: NewEvent) -> tuple[Any, ...]:
    """Return an event as a row of the log."""
    head = f'{{"specversion":"1.0","position":"{position}","time":"{STAMP:%Y-%m-%dT%H:%M:%S.%fZ}",'
    entry = f'{head}{event.attributes},"data":'.encode() + event.data + b"}"
    return position, event.event_id, event.stream, event.version, event.type, STAMP, entry


async def load(connection: Connection, coming: Iterator[NewEvent], after: int, size: int) -> None:
    """Fill the log up to a size with COPY; appends are measured elsewhere."""
    for start in range(after, size, BATCH):
        some = islice(coming, min(BATCH, size - start))
        await connection.copy_records_to_table(
            "events",
            schema_name="log",
            columns=COLUMNS,
            records=[row(position, event) for position, event in enumerate(some, start + 1)],
        )
    await connection.execute("VACUUM ANALYZE log.events")


def list_queries(
    as_of: AsOf, events: list[NewEvent], chance: random.Random
) -> dict[str, AsyncQuery]:
    """Return the six queries, each for a random part of the corpus."""
    streams = sorted({event.stream for event in events})
    named = {
        kind: [s.partition("/")[2] for s in streams if s.startswith(kind)]
        for kind in ("alliance", "export-control", "figure")
    }
    opened = [msgspec.json.decode(e.data) for e in events if e.type == "ExportControl.Announced"]
    controlled = [
        (control["issuer"], commodity)
        for control in opened
        for clause in control["clauses"]
        for commodity in clause["commodities"]
    ]
    produced = [
        ([s[1]], [int(s[-1])])
        for s in (stream.split("/") for stream in streams)
        if s[0] == "figure" and s[3] == "production"
    ]

    async def controls(at: Moment) -> Any:
        issuer, commodity = chance.choice(controlled)
        return await as_of.states(
            ExportControlState,
            at,
            Filter(places=[issuer], commodities=[commodity], status="in_force"),
            limit=20,
        )

    return {
        "a control": lambda at: as_of.state(
            ExportControlState, chance.choice(named["export-control"]), at
        ),
        "controls in force, by issuer and commodity": controls,
        "members of an alliance": lambda at: as_of.state(
            AllianceState, chance.choice(named["alliance"]), at
        ),
        "production of a commodity in a year": lambda at: as_of.figures(
            *chance.choice(produced), at
        ),
        "a figure with its claims": lambda at: as_of.state(
            FigureState, chance.choice(named["figure"]), at
        ),
        "20 claims of a publisher": lambda at: as_of.lists.claims(
            at,
            Filter(publishers=["usgs"]),
            span=KeyRange(after=(f"figure/{chance.choice(named['figure'])}", 0), limit=20),
        ),
    }


def by_replay(recorder: Recorder, events: list[NewEvent], chance: random.Random) -> AsyncQuery:
    """Return a query for the production of a commodity in a year, folded from the events of its figures."""
    periods: dict[tuple[str, str], set[str]] = {}
    for event in events:
        if "/production/" in event.stream:
            _, commodity, *_, period = event.stream.split("/")
            periods.setdefault((commodity, period), set()).add(event.stream)

    async def production(at: Moment) -> Any:
        streams = await recorder.read_streams(chance.choice(list(periods.values())), at.position)
        return [
            version.state
            for stream, events_of_stream in streams.items()
            for version in timeline(stream, [event.known for event in events_of_stream])
            if version.holds(at.valid_at)
        ]

    return production


def moments(known: int, head: int, chance: random.Random) -> Iterator[Moment]:
    """Yield random days and positions at which the queried data are recorded."""
    while True:
        day = date(2023, 1, 1) + timedelta(days=chance.randrange(1400))
        yield Moment(day, known + int(chance.random() * (head - known)))


@dataclass(slots=True)
class Log:
    """A log of one size in a separate database, with its projection."""

    size: int
    target: Target
    measured: dict[str, float]


async def enlarge(server: Target) -> None:
    """Give the server 1 GB of page memory, after its next start."""
    async with connected(server) as admin:
        await admin.execute("ALTER SYSTEM SET shared_buffers = '1GB'")


def python() -> float:
    """Return the CPU seconds of this process and its children."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, PYTHON))


async def build(server: Target, sizes: list[int]) -> list[Log]:
    """Build logs of these sizes, each a copy of the previous one with additions."""
    coming, logs = grown(corpus()), list[Log]()
    for size in sizes:
        name, before = f"grown_{size}", logs[-1].size if logs else 0
        template = f" TEMPLATE grown_{before} STRATEGY file_copy" if logs else ""
        async with connected(server) as admin:
            await admin.execute(f"CREATE DATABASE {name}{template}")
        log = Log(size, {**server, "database": name}, {})
        await prepare(log.target)
        async with connected(log.target) as connection:
            await load(connection, coming, before, size)
            started, used = time.perf_counter(), python()
            await rebuild(log.target, Versions())
            log.measured["rebuild, events/s"] = size / (time.perf_counter() - started)
            log.measured["µs an event in Python"] = (python() - used) / size * 1e6
            log.measured["most memory of a process, MB"] = max(
                resource.getrusage(usage_kind).ru_maxrss / 1024 for usage_kind in PYTHON
            )
            await connection.execute("VACUUM ANALYZE projection.versions, projection.subjects")
            await connection.execute("CHECKPOINT")
            log.measured["versions"] = await connection.fetchval("SELECT count(*) FROM versions")
        logs.append(log)
        print(f"built {size:,}", file=sys.stderr)
    return logs


@asynccontextmanager
async def connected(target: Target) -> AsyncIterator[Connection]:
    """Open a connection for the duration of a block."""
    connection = await connect(target)
    yield connection
    await connection.close()


async def measure(logs: list[Log], rounds: int) -> None:
    """Measure every query on every log in turn, round by round, and keep the medians.

    So a change of the machine's load affects all sizes alike. All logs get the same queries.
    """
    events = corpus()
    async with AsyncExitStack() as stack:
        timed: dict[str, list[TimedQuery]] = {}
        for log in logs:
            chance = random.Random(0)
            recorder = Recorder(
                pool := await stack.enter_async_context(
                    await create_pool(log.target, settings=PLANNED_ONCE)
                )
            )
            queries = list_queries(AsOf(pool, recorder), events, chance)
            queries["production, by replay of its figures"] = by_replay(recorder, events, chance)
            for name, query in queries.items():
                timed.setdefault(name, []).append(
                    TimedQuery(log, query, moments(len(events), log.size, chance), chance)
                )
        for name, of_sizes in timed.items():
            begun = [each.chance.getstate() for each in of_sizes]
            await send_query(of_sizes, rounds, name)
            for each, state in zip(of_sizes, begun, strict=True):
                each.chance.setstate(state)  # the same queries again
            await send_query(of_sizes, rounds, name + AGAIN)


class TimedQuery(NamedTuple):
    """A query for one log."""

    log: Log
    query: AsyncQuery
    moments: Iterator[Moment]
    chance: random.Random


async def send_query(of_sizes: list[TimedQuery], rounds: int, name: str) -> None:
    """Run a query on all logs in turn and keep the medians, in milliseconds."""
    taken: list[list[float]] = [[] for _ in of_sizes]
    for _ in range(rounds):
        for each, times in zip(of_sizes, taken, strict=True):
            at, started = next(each.moments), time.perf_counter()
            await each.query(at)
            times.append((time.perf_counter() - started) * 1000)
    for each, times in zip(of_sizes, taken, strict=True):
        each.log.measured[name] = statistics.median(times)


async def report(server: Target, sizes: list[int], rounds: int) -> None:
    """Measure and print the curve as a table."""
    logs = await build(server, sizes)
    await measure(logs, rounds)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" load {os.getloadavg()[1]:.1f}; medians of {rounds}, milliseconds"
    )
    print("| | " + " | ".join(f"{size:,}" for size in sizes) + " | last/first |")
    print("| --- |" + " --- |" * (len(sizes) + 1))
    for name in logs[0].measured:
        values = [log.measured[name] for log in logs if name in log.measured]
        cells = [f"{v:,.0f}" if v >= 100 else f"{v:.2f}" for v in values]
        cells += [""] * (len(logs) - len(cells))
        print(f"| {name} | {' | '.join(cells)} | {values[-1] / values[0]:.2f} |")


def main() -> None:
    """Measure on a separate server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--rounds", type=int, default=300)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracker-bench-")))
        os.chmod(directory, 0o755)
        with Postgres.start(directory / "data") as first:
            uvloop.run(enlarge(first.connection.kwargs()))
        postgres = stack.enter_context(Postgres.start(directory / "data"))
        sizes = [int(size) for size in arguments.sizes.split(",")]
        uvloop.run(report(postgres.connection.kwargs(), sizes, arguments.rounds))


if __name__ == "__main__":
    main()
