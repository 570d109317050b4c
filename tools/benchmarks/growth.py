"""Cost of every page while history grows.

    python -m tools.benchmarks.growth [--sizes 25000,100000,1000000] [--rounds 3] [--write PAGE]

The log is the shipped corpus with repeated variations: every figure for another year or grade, every export
control with another issuer, and one claim in eight retracted and recorded again. Pages are requested at days
and positions that nobody has asked for, from logs of all sizes in turn. A page with more content takes
longer: the last columns compare times and bytes with those of the log before.
"""

import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import msgspec
import uvloop

from deploy.bootstrap import prepare, running_tracker
from deploy.cli.process import freeze_gc
from deploy.postgres import Postgres
from projections.registry import PROJECTIONS
from projections.runner.rebuild import rebuild_all
from schema.app import create_app
from schema.services import Access
from tools.benchmarks.first_requests import PATHS
from tools.benchmarks.harness import machine, markdown, options, publish
from tools.benchmarks.load import corpus
from tracker.log.entries import NewEvent
from tracker.postgres.database import Connection, Target, connect

OTHERS = ("CL", "PE", "ZM", "NO", "FI", "MA", "NA", "TH", "PH", "BO")
"""Places that issue no control of the corpus."""

FAR_YEAR = 2030
"""The first year of projections that keep their year."""
STAMP = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = ("position", "event_id", "stream", "version", "type", "recorded_at", "entry")
BATCH = 20_000
PYTHON = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
LAST_DAY = date(2026, 12, 1)
HTML = {"Accept": "text/html"}
PAGES = tuple(path for path in PATHS if path not in {"/events", "/sources", "/docs", "/tables"})
"""The pages that show a moment."""


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


class Answer(NamedTuple):
    """A page."""

    milliseconds: float
    size: float


@dataclass(slots=True)
class Log:
    """A log of one size in a separate database, with its projections."""

    size: int
    target: Target
    measured: dict[str, float] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    """The median answer of each page."""


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
        log = Log(size, {**server, "database": name})
        await prepare(log.target)
        async with connected(log.target) as connection:
            await load(connection, coming, before, size)
            started, used = time.perf_counter(), python()
            await rebuild_all(log.target, [make() for make in PROJECTIONS.values()])
            log.measured["rebuild, events/s"] = size / (time.perf_counter() - started)
            log.measured["µs of CPU an event in Python"] = (python() - used) / size * 1e6
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
    """Request every page from every log in turn, round by round, and keep the medians.

    So a change of the machine's load affects all sizes alike. All logs get the same pages and days.
    """
    taken: dict[str, list[list[Answer]]] = {path: [[] for _ in logs] for path in PAGES}
    async with AsyncExitStack() as stack:
        clients = []
        for log in logs:
            services = await stack.enter_async_context(running_tracker(log.target))
            transport = httpx2.ASGITransport(create_app(services, Access()))
            client = httpx2.AsyncClient(
                transport=transport, base_url="http://localhost", headers=HTML, timeout=600
            )
            clients.append(await stack.enter_async_context(client))
        freeze_gc()
        for turn in range(rounds):
            day = LAST_DAY - turn * timedelta(days=97)
            for path, answers in taken.items():
                for client, log, some in zip(clients, logs, answers, strict=True):
                    some.append(await request(client, path, day, log.size - turn))
    for path, answers in taken.items():
        for log, some in zip(logs, answers, strict=True):
            log.answers[path] = Answer(*map(statistics.median, zip(*some, strict=True)))


async def request(client: httpx2.AsyncClient, path: str, day: date, position: int) -> Answer:
    """Request a page at a moment that nobody has asked for."""
    started = time.perf_counter()
    also = "&" if "?" in path else "?"
    found = await client.get(f"{path}{also}valid={day}&position={position}")
    assert found.status_code == 200, (path, found.status_code)
    return Answer((time.perf_counter() - started) * 1000, len(found.content))


def report(logs: list[Log], rounds: int) -> str:
    """Return the measurements of the logs, and of the pages on them."""
    sizes = [f"{log.size:,}" for log in logs]
    builds = [[name, *(f"{log.measured[name]:,.0f}" for log in logs)] for name in logs[0].measured]
    pages = []
    for path in PAGES:
        *_, before, last = answers = [log.answers[path] for log in logs]
        longer, larger = (after / of for of, after in zip(before, last, strict=True))
        pages.append(
            [
                f"`{path}`",
                *(f"{one.milliseconds:,.0f}" for one in answers),
                f"{longer:.1f}",
                f"{larger:.1f}",
            ]
        )
    return "\n\n".join(
        (
            f"{machine()}; medians, rounds: {rounds}.",
            markdown(["log", *sizes], builds),
            markdown(["page, ms", *sizes, "times as long", "times as large"], pages),
        )
    )


async def run(server: Target, sizes: list[int], rounds: int) -> str:
    """Build the logs, measure, and return the report."""
    logs = await build(server, sizes)
    await measure(logs, rounds)
    return report(logs, rounds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on a separate server, and print or write to a page."""
    parser = options(str(__doc__))
    parser.add_argument("--sizes", default="25000,100000,1000000", help="events, ascending")
    chosen = parser.parse_args(arguments)
    sizes = [int(size) for size in chosen.sizes.split(",")]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracker-bench-")))
        os.chmod(directory, 0o755)
        with Postgres.start(directory / "data") as first:
            uvloop.run(enlarge(first.connection.kwargs()))
        postgres = stack.enter_context(Postgres.start(directory / "data"))
        text = uvloop.run(run(postgres.connection.kwargs(), sizes, chosen.rounds))
    publish("growth", text, chosen.write)


if __name__ == "__main__":
    main()
