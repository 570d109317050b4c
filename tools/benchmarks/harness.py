"""Shared parts of the benchmarks: a server, rounds, tables, and the page with the results."""

import argparse
import os
import platform
import re
import statistics
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import distributions
from pathlib import Path

from deploy.bootstrap import prepare, running_tracker
from deploy.cli.process import run
from deploy.postgres import Postgres
from tracker.postgres.database import Target, connect
from tracker.sources.importing.importer import import_file
from tracker.sources.readers import corpus_format

OURS = "this log"
LIBRARIES = ("asyncpg", "eventsourcing", "psycopg")

Measure = Callable[[Target], Awaitable[float]]
"""A measurement on a new database with our tables. ImportError means that the peer is not installed."""


@dataclass(frozen=True, slots=True)
class Column:
    """One measured quantity, for each peer that supports it."""

    key: str
    title: str
    measures: Mapping[str, Measure]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of one unit. With ratios, other rows also show their ratio to ours."""

    title: str
    columns: Sequence[Column]
    ratios: bool = True
    digits: int = 0


@dataclass(slots=True)
class Figures:
    """Measurements by column and peer, with reasons for missing ones."""

    taken: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def median(self, key: str, peer: str) -> float | None:
        """Return the median over the rounds, or None if the peer does not support it."""
        taken = self.taken.get((key, peer))
        return statistics.median(taken) if taken else None


def main(
    name: str,
    description: str,
    tables: Callable[[float], Sequence[Table]],
    arguments: Sequence[str] | None = None,
) -> None:
    """Run the command that measures these tables on a separate server."""
    keys = [column.key for table in tables(0) for column in table.columns]
    parser = options(description)
    parser.add_argument("--seconds", type=float, default=3, help="seconds per measurement")
    parser.add_argument(
        "--only",
        nargs="+",
        default=keys,
        metavar="KEY",
        help=f"measure one, or what begins so: {', '.join(keys)}",
    )
    chosen = parser.parse_args(arguments)
    if unknown := [only for only in chosen.only if not any(named(key, only) for key in keys)]:
        parser.error(f"--only: expected {', '.join(keys)}, got {', '.join(unknown)}")
    if chosen.write and chosen.only != keys:
        parser.error("--write keeps whole tables: expected no --only")
    with server() as target:
        text = run(
            report(
                target,
                selected(tables(chosen.seconds), chosen.only),
                chosen.rounds,
                f"{chosen.seconds:g} s a figure",
            )
        )
    publish(name, text, chosen.write)


def options(description: str) -> argparse.ArgumentParser:
    """Return a parser with the options of every benchmark."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds per measurement")
    parser.add_argument(
        "--write",
        type=Path,
        metavar="PAGE",
        help="write the tables to this page, between the marks of this benchmark",
    )
    return parser


def selected(tables: Sequence[Table], only: Sequence[str]) -> list[Table]:
    """Return the tables with only the named columns."""
    remaining = [
        replace(table, columns=[c for c in table.columns if any(named(c.key, o) for o in only)])
        for table in tables
    ]
    return [table for table in remaining if table.columns]


def named(key: str, only: str) -> bool:
    """Whether `append` or `append-16` names `append-16`."""
    return f"{key}-".startswith(f"{only}-")


@contextmanager
def server() -> Iterator[Target]:
    """Run an empty embedded PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as directory:
        os.chmod(directory, 0o755)  # PostgreSQL runs under another account when this runs as root
        with Postgres.start(Path(directory) / "data") as postgres:
            yield postgres.connection.kwargs()


@asynccontextmanager
async def database(server: Target) -> AsyncIterator[Target]:
    """Create a new database with our tables and drop it afterwards, so that measurements are
    independent."""
    name = f"bench_{uuid.uuid4().hex}"
    target = {**server, "database": name}
    admin = await connect(server)
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        try:
            await prepare(target)
            yield target
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


async def load(target: Target) -> int:
    """Load the corpus and return its last position."""
    async with running_tracker(target) as services:
        await import_file(target, corpus_format.READER, corpus_format.SHIPPED_CORPUS)
        head = await services.recorder.head()
        await services.projector.reach(head, seconds=120)
        return head


async def report(server: Target, tables: Sequence[Table], rounds: int, how: str) -> str:
    """Measure the tables in interleaved rounds, and return the medians as Markdown."""
    figures = Figures()
    for number in range(1, rounds + 1):
        for table in tables:
            for column in table.columns:
                print(f"round {number} of {rounds}: {column.key}", file=sys.stderr)
                await _measure(server, column, figures)
    heading = (
        f"{machine()}, {await _postgres(server)}, {versions()}. Medians; rounds: {rounds},"
        f" {how}. In brackets: the figure of {OURS} divided by this one."
    )
    absent = [f"{peer}: not measured, {why}." for peer, why in figures.missing.items()]
    return "\n\n".join([heading, *(_table(table, figures) for table in tables), *absent])


async def _measure(server: Target, column: Column, figures: Figures) -> None:
    """Measure one round of a column: every peer once."""
    for peer, measure in column.measures.items():
        if peer in figures.missing:
            continue
        async with database(server) as target:
            try:
                figure = await measure(target)
            except ImportError as error:
                figures.missing[peer] = str(error)
            else:
                figures.taken.setdefault((column.key, peer), []).append(figure)


async def _postgres(server: Target) -> str:
    connection = await connect(server)
    try:
        version = await connection.fetchval("SHOW server_version")
        return f"PostgreSQL {version}, fsync {await connection.fetchval('SHOW fsync')}"
    finally:
        await connection.close()


def machine() -> str:
    """Return a description of this machine."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def versions() -> str:
    """Return the versions of the measured and measuring libraries."""
    present = {d.name: d.version for d in distributions() if d.name in LIBRARIES}
    return ", ".join(f"{name} {present[name]}" for name in LIBRARIES if name in present)


def _table(table: Table, figures: Figures) -> str:
    peers = dict.fromkeys(peer for column in table.columns for peer in column.measures)
    rows = [
        [peer, *(_cell(table, column, peer, figures) for column in table.columns)] for peer in peers
    ]
    return markdown([table.title, *(column.title for column in table.columns)], rows)


def _cell(table: Table, column: Column, peer: str, figures: Figures) -> str:
    figure = figures.median(column.key, peer)
    if figure is None:
        return "–"
    text, own = f"{figure:,.{table.digits}f}", figures.median(column.key, OURS)
    if own is None or peer == OURS or not table.ratios or not figure:
        return text  # a value of 0: too short to measure
    return f"{text} ({own / figure:.2f})"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def publish(name: str, text: str, page: Path | None) -> None:
    """Print a benchmark's report, or write it to a page between its marks."""
    if page is None:
        print(text)
        return
    begin, end = f"<!-- measured: {name} -->", f"<!-- end of {name} -->"
    before = page.read_text(encoding="utf-8")
    after, count = re.subn(
        f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})",
        lambda _: f"{text}\n",
        before,
        flags=re.DOTALL,
    )
    if not count:
        sys.exit(f"{page}: expected the marks {begin} and {end}")
    page.write_text(after, encoding="utf-8")
