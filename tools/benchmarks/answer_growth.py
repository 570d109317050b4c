"""Cost of answers while the log, or the history of one entity, grows.

    python -m tools.benchmarks.answer_growth [--sizes 10000 100000 1000000] [--facts 10 100 1000 10000]
                                             [--write PAGE]

The log is that of `growth`, signed. A new process gives each answer, without anything cached. Its CPU time
includes that of PostgreSQL. Its memory is the peak of the process; that of PostgreSQL is what its processes
allocate more than before. The entities are those of `entity`, with facts on one day or on separate days.
Linux only.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from math import nan
from pathlib import Path

import uvloop

from deploy.bootstrap import open_connection, open_pool, prepare
from deploy.postgres import Postgres
from projections.registry import PROJECTIONS
from projections.runner.rebuild import rebuild
from tests.support.published_log import publisher
from tools.benchmarks import entity, harness
from tools.benchmarks.growth import grown, load
from tools.benchmarks.load import corpus
from tools.benchmarks.resources import (
    Cost,
    answer_cost,
    command_cost,
    in_new_process,
    postmaster_of,
)
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import Publisher
from tracker.domain.basics.values import DAY
from tracker.log.entries import NewEvent
from tracker.postgres.database import CONNECTION_ERRORS, PUBLISHER, Target

LAST_DAYS = 100
"""Number of days of a history whose transitions are requested."""
LISTS: Mapping[str, str] = {
    "transitions": "transitions(first: 100) { totalCount nodes { day kind summary } }",
    "timeline": 'timeline(commodity: "rare_earths", first: 100) { totalCount nodes { day summary } }',
    "disputes": "disputes(first: 100) { totalCount nodes { dispute { account } } }",
    "digest": "digest",
}
COMMANDS: Mapping[str, Sequence[str]] = {
    "tracker export": ("export", "{bundle}"),
    "tracker verify": ("verify", "{bundle}", "--trust-bundle-key", "--allow-missing-texts"),
    "tracker verify --database": ("verify", "--database"),
}
KINDS = ("announcement", "alliance", "control", "figure")
DAYS = ("on one day", "on separate days")


@dataclass(slots=True)
class Row:
    """The costs of an answer for growing sizes."""

    name: str
    costs: list[Cost] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    """The facts that each answer follows from, or its items."""

    def add(self, cost: Cost, size: int | None = None) -> None:
        """Add the cost of a larger size; without a size, the items count."""
        self.costs.append(cost)
        self.sizes.append(size or (cost.items if isinstance(cost.items, int) else 0))

    @property
    def growth(self) -> float:
        """The largest ratio of the growth of the CPU time to the growth of the size, in one step."""
        steps = [
            (after.cpu / before.cpu) / (more / less)
            for (before, after), (less, more) in zip(
                pairwise(self.costs), pairwise(self.sizes), strict=True
            )
            if less and more and before.cpu
        ]
        return max(steps, default=nan)

    @property
    def cells(self) -> list[str]:
        """Return a row of the table."""
        items = [
            one.items if isinstance(one.items, str) else f"{one.items:,}" for one in self.costs
        ]
        return [
            self.name,
            " / ".join(items),
            " / ".join(f"{1000 * one.cpu:,.0f}" for one in self.costs),
            f"{self.growth:.2f}",
            " / ".join(f"{one.megabytes:,.0f}" for one in self.costs),
            " / ".join(f"{one.database_megabytes:,.0f}" for one in self.costs),
        ]


async def enlarge(
    target: Target, data_dir: Path, after: int, size: int, coming: Iterator[NewEvent]
) -> int:
    """Fill a log up to a size, sign and project it, and return the number of entities."""
    await prepare(target)
    async with open_connection(target) as connection:
        await load(connection, coming, after, size)
    keystore = KeyStore(data_dir / "audit")
    keystore.load_or_create("example.org/log")
    async with open_pool(target, role=PUBLISHER, size=2) as pool:
        await publish(publisher(pool, target, keystore))
    for projection in PROJECTIONS.values():
        await rebuild(target, projection())
    async with open_connection(target) as connection:
        await connection.execute("VACUUM ANALYZE")
        query = "SELECT count(*) FROM projection.subjects WHERE word = ''"
        return int(await connection.fetchval(query))


async def publish(publisher: Publisher) -> None:
    """Sign a log, again after a transaction that took too long on a busy machine."""
    while True:
        try:
            return await publisher.catch_up()
        except CONNECTION_ERRORS:
            continue


def log_rows(target: Target, data_dir: Path, sizes: Sequence[int]) -> list[Row]:
    """Measure the answers about logs of growing sizes."""
    rows = {name: Row(name) for name in (*LISTS, *COMMANDS)}
    coming, before, postmaster = grown(corpus()), 0, uvloop.run(postmaster_of(target))
    for size in sizes:
        entities = uvloop.run(enlarge(target, data_dir, before, size, coming))
        before = size
        for name, document in LISTS.items():
            cost = answer_cost(postmaster, target, document)
            rows[name].add(cost, entities if name == "digest" else None)
        bundle = str(data_dir.parent / f"bundle-{size}")
        for name, words in COMMANDS.items():
            arguments = [word.format(bundle=bundle) for word in words]
            rows[name].add(command_cost(postmaster, data_dir, arguments, size))
        print(f"log of {size:,}", *(row.cells for row in rows.values()), sep="\n", file=sys.stderr)
    return [*rows.values()]


def recorded(target: Target, kind: str, size: int, layout: str) -> str:
    """Record an entity in a new database, and return the document that asks for its last transitions."""
    return uvloop.run(_recorded(target, kind, size, layout))


async def _recorded(target: Target, kind: str, size: int, layout: str) -> str:
    stream, make = entity.KINDS[kind]
    days = [entity.FIRST_DAY + (number if layout == DAYS[1] else 0) * DAY for number in range(size)]
    await entity.fill(target, stream, [make(number, str(day)) for number, day in enumerate(days)])
    for projection in PROJECTIONS.values():  # the search index is filled later than the others
        await rebuild(target, projection())
    return (
        f'transitions(entity: "{stream}", between: {{ from: "{days[-LAST_DAYS:][0]}" }}, first: 100)'
        " { totalCount nodes { day kind summary } }"
    )


async def create_database(server: Target, name: str, template: str | None = None) -> Target:
    """Create a database, a copy of another or with empty tables."""
    async with open_connection(server) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template or 'template1'}")
    target = {**server, "database": name}
    if template is None:
        await prepare(target)
    return target


def entity_rows(
    server: Target, kinds: Sequence[str], sizes: Sequence[int], most_days: int
) -> list[Row]:
    """Measure the transitions of entities with growing numbers of facts."""
    rows, postmaster = list[Row](), uvloop.run(postmaster_of(server))
    uvloop.run(create_database(server, "no_facts"))
    for kind, layout in product(kinds, DAYS):
        rows.append(Row(f"{kind}, {layout}"))
        for size in sizes:
            if layout == DAYS[0] or size <= most_days:
                name = f"{kind}_{DAYS.index(layout)}_{size}"
                target = uvloop.run(create_database(server, name, "no_facts"))
                document = in_new_process(recorded, target, kind, size, layout)
                rows[-1].add(answer_cost(postmaster, target, document), size)
        print(rows[-1].cells, file=sys.stderr)
    return rows


def report(logs: Sequence[Row], entities: Sequence[Row], sizes: str, facts: str) -> str:
    """Return the tables as Markdown."""
    titles = ["CPU, ms", "at most, × size", "MB", "MB more of PostgreSQL"]
    return "\n\n".join(
        [
            f"{harness.machine()}. Sizes: {sizes} events; {facts} facts. `× size`: the growth of the CPU"
            " time divided by that of the items, or facts, in the worst step.",
            harness.markdown(["a log of each size", "items", *titles], [r.cells for r in logs]),
            harness.markdown(
                ["transitions of an entity of each size", "items", *titles],
                [row.cells for row in entities],
            ),
        ]
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or write to a page."""
    parser = harness.options(str(__doc__))
    parser.add_argument("--sizes", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--facts", nargs="+", type=int, default=[10, 100, 1_000, 10_000])
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS)
    parser.add_argument(
        "--most-days", type=int, default=1_000, help="maximum of facts on separate days"
    )
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as name:
        os.chmod(name, 0o755)  # PostgreSQL runs under another account when this runs as root
        data_dir = Path(name) / "data"
        with Postgres.start(data_dir) as postgres:
            target = postgres.connection.kwargs()
            entities = entity_rows(target, chosen.kinds, chosen.facts, chosen.most_days)
            logs = log_rows(target, data_dir, chosen.sizes)
    sizes, facts = (" / ".join(f"{n:,}" for n in each) for each in (chosen.sizes, chosen.facts))
    harness.publish("answer_growth", report(logs, entities, sizes, facts), chosen.write)


if __name__ == "__main__":
    main()
