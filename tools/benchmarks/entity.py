"""Cost of a write to an entity with many events.

    python -m tools.benchmarks.entity [--sizes 10 100 1000 10000] [--kinds figure] [--write PAGE]

Each value is the time of one command that records one event, until it can be read. The events of an entity
are on one day, or each on another day. `newest` is an event of the last day, `older` one of an earlier day,
and `cold` the first one after a start with empty caches. Batches have 100 events. `rows` is the size of the
tables with the entity's states and their elements.
"""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import date
from itertools import count

import uvloop

from deploy.bootstrap import open_connection, running_tracker
from schema.services import Services
from tests.support.fact_builders import announced, claimed, clause, fact
from tests.support.log_events import append_all
from tools.benchmarks import harness
from tracker.commands.commands import PlannedEvent, RecordFact
from tracker.commands.decisions import decide, rehydrate
from tracker.domain.actors.alliance import Founded, MemberJoined, MemberLeft
from tracker.domain.actors.announcement import Made, Superseded
from tracker.domain.basics.values import DAY
from tracker.domain.controls.export_control_acts import (
    Amended,
    Disputed,
    Suspended,
    SuspensionExtended,
)
from tracker.domain.entities.fact import Fact
from tracker.domain.evidence.watched_source_facts import Looked, Unchanged, Watched
from tracker.postgres.database import PROJECTOR, Target

FIRST_DAY = date(1990, 1, 1)
BATCH = 100
Make = Callable[[int, str], Fact]
"""The fact of an entity by number, from 0 on, and public day."""


def _announcement(number: int, on: str) -> Fact:
    if number == 0:
        return fact(Made, on, kind="statement", title="A statement", actors=["US"])
    return fact(Superseded, on, by=f"announcement/a{number}")


def _control(number: int, on: str) -> Fact:
    if number == 0:
        return announced(clause("1"), clause("2"), on=on)
    return (
        fact(Amended, on, clauses=[clause(str(1 + number % 5))]),
        fact(Suspended, on, clauses=["1"], suspendedFrom="2030-01-01", suspendedUntil="2030-12-31"),
        fact(SuspensionExtended, on, clauses=["1"], suspendedUntil="2031-12-31"),
        fact(Disputed, on, account="Another source tells it otherwise"),
    )[number % 4]


def _figure(number: int, on: str) -> Fact:
    publisher = ("usgs", "bgs", "iea")[number % 3]
    return claimed(number, publisher=publisher, edition=f"no {number}", published_on=on)


def _alliance(number: int, on: str) -> Fact:
    if number == 0:
        return fact(Founded, on, name="The Quad")
    member = ("US", "JP", "AU", "IN", "KR", "DE", "FR")[(number - 1) // 2 % 7]
    return fact(MemberJoined if number % 2 else MemberLeft, on, member=member)


def _source(number: int, on: str) -> Fact:
    at = {"look": 1 + number // 2, "at": f"{on}T12:00:00Z"}
    address = "https://www.federalregister.gov/api/v1/documents.json"
    if number == 0:
        fields = {"name": "The Register", "adapter": "federal-register", "address": address}
        return fact(Watched, on, **fields, issuers=["US"], everyHours=12)
    if number % 2:
        return fact(Unchanged, on, **at, address=address, status=304, sha256="0" * 64)
    return fact(Looked, on, **at, startedAt=at["at"], requests=1, complete=True, coversUntil=on)


KINDS: dict[str, tuple[str, Make]] = {
    "announcement": ("announcement/a", _announcement),
    "control": ("export-control/a", _control),
    "figure": ("figure/rare_earths/CN/production/mine/2023", _figure),
    "alliance": ("alliance/a", _alliance),
    "source": ("source/us", _source),
}


async def fill(target: Target, stream: str, facts: Sequence[Fact]) -> float:
    """Record the facts of an entity, and return the megabytes of their rows."""
    entity = rehydrate(stream, [])
    events = [decide(entity, PlannedEvent(stream, one, str(uuid.uuid4())), ()) for one in facts]
    async with running_tracker(target) as services:
        await append_all(services.recorder, events)
        await services.projector.reach(len(events), seconds=600)
    async with open_connection(target, role=PROJECTOR) as connection:
        return float(
            await connection.fetchval(
                "SELECT (pg_table_size('versions') + pg_table_size('elements')) / 1e6"
            )
        )


async def seconds(services: Services, stream: str, *facts: Fact) -> float:
    """Return the seconds until facts of an entity can be read."""
    started = time.perf_counter()
    written = await services.commands.record_all([RecordFact(stream, one) for one in facts])
    await services.projector.reach(written.positions[-1], seconds=600)
    return time.perf_counter() - started


async def measure(target: Target, stream: str, make: Make, size: int, days: int) -> list[float]:
    """Return the seconds of a newest, an older and a cold event and of a batch, and the megabytes of
    rows before."""

    def day(number: int) -> str:
        return str(FIRST_DAY + number * days // size * DAY)

    def later(number: int) -> str:
        return day(size - 1 + number if days > 1 else size - 1)

    size_of_rows = await fill(target, stream, [make(number, day(number)) for number in range(size)])
    coming = count(size)
    async with running_tracker(target) as services:

        async def one(on: str) -> float:
            return await seconds(services, stream, make(next(coming), on))

        cold = await one(later(0))
        newest = statistics.median([await one(later(n)) for n in range(1, 11)])
        older = statistics.median([await one(later(0)) for _ in range(4)]) if days > 1 else newest
        batch = await seconds(
            services, stream, *(make(next(coming), later(11 + n)) for n in range(BATCH))
        )
    return [newest, older, cold, batch, size_of_rows]


async def report(server: Target, kinds: Sequence[str], sizes: Sequence[int], many: int) -> str:
    """Return all values as Markdown tables."""
    tables = [f"{harness.machine()}, {harness.versions()}."]
    for layout in ("on one day", "each on a day of its own"):
        rows = []
        for kind in kinds:
            stream, make = KINDS[kind]
            for size in sizes:
                if layout != "on one day" and size > many:
                    continue
                async with harness.database(server) as target:
                    days = 1 if layout == "on one day" else size
                    *times, batch, megabytes = await measure(target, stream, make, size, days)
                rows.append(
                    [
                        f"{kind}, {size:,}",
                        *(f"{1e3 * taken:,.1f}" for taken in times),
                        f"{BATCH / batch:,.0f}",
                        f"{megabytes:,.1f}",
                    ]
                )
                print(layout, rows[-1], flush=True)
        tables.append(
            harness.markdown(
                [
                    f"events {layout}",
                    "newest, ms",
                    "older, ms",
                    "cold, ms",
                    "batches, events/s",
                    "rows, MB",
                ],
                rows,
            )
        )
    return "\n\n".join(tables)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or write to a page."""
    parser = harness.options(__doc__)
    parser.add_argument("--kinds", nargs="+", default=[*KINDS], choices=[*KINDS])
    parser.add_argument("--sizes", nargs="+", type=int, default=[10, 100, 1_000, 10_000])
    parser.add_argument(
        "--many", type=int, default=10_000, help="maximum of events on separate days"
    )
    chosen = parser.parse_args(arguments)
    with harness.server() as target:
        text = uvloop.run(report(target, chosen.kinds, chosen.sizes, chosen.many))
    harness.publish("entity", text, chosen.write)


if __name__ == "__main__":
    main()
