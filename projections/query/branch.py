"""Branches: the recorded log up to a position, continued by events that are not recorded.

The statements of all queries run unchanged on a branch. Each table that one names is replaced by the recorded
rows up to the position, without those of the entities with hypothetical events, and the rows of these
entities. The projections make the latter from all events of an entity, in temporary tables of the connections
of the branch. No rule is written twice. A branch leaves nothing behind when its connections are closed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias, cast

from projections.query.as_of import PLANNED_ONCE, AsOf
from projections.query.changes import Changes
from projections.query.sql_parts import LEADING_COMMENT
from projections.runner.folds import OwnFolds
from projections.runner.progress import Progress, ProgressTracker
from projections.search_index import rows as search_rows
from projections.search_index.document import WITHOUT_WORDS
from projections.search_index.projection import SearchIndex
from projections.versions import row_batch
from projections.versions.fact_rows import block_of
from projections.versions.projection import Versions
from tracker.commands.commands import Command as DomainCommand
from tracker.commands.commands import RecordFact
from tracker.commands.dry_run import DryRun
from tracker.commands.handler import Commands
from tracker.domain.entities.fact import Fact
from tracker.errors import ReadOnly, TrackerError
from tracker.log.append import AppendResult, Command
from tracker.log.durability import Durability
from tracker.log.entries import RecordedEvent
from tracker.log.fact_reader import StreamFacts
from tracker.log.recorder import Recorder
from tracker.postgres.database import Connection, Pool, Target, create_pool, named_queries

SQL = named_queries(Path(__file__).with_suffix(".sql"))
CONNECTIONS = 2
"""Maximum connections of a branch."""
PlannedCommands: TypeAlias = Callable[[], AbstractContextManager[Sequence[DomainCommand]]]
SETTINGS = {**PLANNED_ONCE, "default_transaction_read_only": "on"}
"""Settings of the connections: statements can write to temporary tables only."""
HYPOTHETICAL = "a branch has hypothetical events: nothing can be recorded in it"
MAX_STATEMENTS = 1000
MAX_OPEN = 4
"""Maximum number of branches that stay open for further queries."""
RECORDED = "since <= {base}"
OF_OTHERS = "since <= {base} AND entity <> ALL ({touched})"
SOURCES: Mapping[str, tuple[str, str]] = {
    "projection.versions": (OF_OTHERS, "true"),
    "projection.elements": (OF_OTHERS, "true"),
    "projection.facts": (OF_OTHERS, "true"),
    "projection.subjects": (OF_OTHERS, "true"),
    "projection.state_documents": (OF_OTHERS, "true"),
    "projection.fact_sums": ("block < {block}", "false"),
    "projection.texts": ("true", "true"),
    "projection.documents": ("true", "true"),
    "projection.vocabulary": (RECORDED, "true"),
    "projection.event_words": ("position <= {base}", "position > {base}"),
    "log.events": ("position <= {base}", "true"),
    "log.annexes": ("position <= {base}", "true"),
}
"""The tables that a branch continues, with the conditions of their recorded and of their own rows."""
OPEN_ROWS = "CASE WHEN until > {base} THEN 9223372036854775807 ELSE until END AS until"
"""Rows that were closed after the position of the branch are open in it."""
NAMED = re.compile(
    r"\b(?:log\.(?P<log>events|annexes)|(?<=FROM )(?P<first>\w+)|(?<=JOIN )(?P<next>\w+))\b"
)
REWRITTEN = frozenset({"fetch", "fetchrow", "fetchval", "cursor", "execute"})
"""Methods of connections whose first argument is a statement."""
PLAIN = frozenset({"transaction", "get_size", "get_idle_size"})
"""Methods of connections and pools without a statement."""
OF_ENTITY = re.compile(r"FROM versions\s+WHERE entity = (\S+)")
"""A lookup of one entity, which reads either recorded rows or own ones."""


@dataclass(frozen=True)
class Cut:
    """The recorded log up to a position, without entities that have rows of their own."""

    base: int
    touched: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]

    def statement(self, text: str) -> str:
        """Return a statement that reads the tables of the branch instead of the recorded ones."""
        sources: dict[str, str] = {}

        def named(match: re.Match[str]) -> str:
            if log := match["log"]:
                sources[f"branch_{log}"] = f"log.{log}"
                return f"branch_{log}"
            table = match["first"] or match["next"]
            if f"projection.{table}" in SOURCES:
                sources[table] = f"projection.{table}"
            return match[0]

        def of_entity(match: re.Match[str]) -> str:
            rows = self._rows("projection.versions", match[1])
            return f"FROM (\n{rows}\n) AS versions WHERE entity = {match[1]}"

        body = OF_ENTITY.sub(of_entity, NAMED.sub(named, text))
        if not sources:
            return text
        parts = (
            f"{name} AS NOT MATERIALIZED (\n{self._rows(of)}\n)" for name, of in sources.items()
        )
        body = LEADING_COMMENT.sub("", body)
        rest = f",{body[4:]}" if body.startswith("WITH ") else f"\n{body}"
        return f"WITH {', '.join(parts)}{rest}"

    def _rows(self, source: str, entity: str = "") -> str:
        recorded, own = (self._filled(condition) for condition in SOURCES[source])
        if entity:
            recorded = (
                f"entity = {entity} AND since <= {self.base} AND {entity} <> ALL ({self._touched})"
            )
            own = f"entity = {entity} AND {entity} = ANY ({self._touched})"
        columns = self.columns[source]
        of_cut = ", ".join(self._filled(OPEN_ROWS) if name == "until" else name for name in columns)
        rows = f"SELECT {of_cut} FROM {source} WHERE {recorded}"
        if not self.touched:
            return rows
        table = source.partition(".")[2]
        temporary = f"branch_{table}" if source.startswith("log.") else table
        return f"{rows}\nUNION ALL SELECT {', '.join(columns)} FROM pg_temp.{temporary} WHERE {own}"

    def _filled(self, condition: str) -> str:
        return condition.format(base=self.base, touched=self._touched, block=block_of(self.base)[0])

    @property
    def _touched(self) -> str:
        names = ", ".join("'{}'".format(name.replace("'", "''")) for name in self.touched)
        return f"ARRAY[{names}]::text[]"


class BranchConnection:
    """A connection whose statements read a branch."""

    def __init__(self, connection: Any, statement: Callable[[str], str]):
        self._connection = connection
        self._statement = statement

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._connection, name)
        if name in PLAIN:
            return method
        if name not in REWRITTEN:  # such as copies, which would read the recorded tables
            raise AttributeError(name)
        return lambda text, *arguments, **options: method(
            self._statement(text), *arguments, **options
        )


class BranchPool(BranchConnection):
    """A pool whose statements read a branch."""

    @asynccontextmanager
    async def acquire(self, **options: Any) -> AsyncIterator[BranchConnection]:
        """Acquire a connection as from the pool."""
        async with self._connection.acquire(**options) as connection:
            yield BranchConnection(connection, self._statement)


class BranchRecorder(Recorder):
    """The events of a branch. Nothing can be appended."""

    def __init__(self, pool: Pool, last: int):
        super().__init__(pool, durability=Durability())
        self._last = last

    async def head(self) -> int:
        """Return the last position of the branch."""
        return self._last

    async def append(self, command: Command) -> AppendResult:
        """Refuse."""
        raise ReadOnly(HYPOTHETICAL)


class BranchFolds(OwnFolds):
    """The rows of a branch, which are always of this code and complete."""

    def __init__(self, last: int):
        super().__init__(())
        self._last = last

    async def position(self, connection: Connection | Pool, name: str) -> int:
        """Return the last position of the branch."""
        return self._last


class BranchProgress(ProgressTracker):
    """The progress of a branch, which never changes."""

    def __init__(self, last: int):
        self.folds = BranchFolds(last)
        self._last = Progress(last)

    @property
    def known(self) -> Progress:
        """Its last position."""
        return self._last

    async def query(self) -> int:
        """Return its last position."""
        return self._last.position


@dataclass(frozen=True)
class Branch:
    """The recorded log up to a position, continued by hypothetical events."""

    run: DryRun
    recorded: Mapping[int, RecordedEvent]
    """The events that equal a command, by the index of the command."""
    pool: Pool
    recorder: Recorder
    as_of: AsOf
    changes: Changes

    @property
    def head(self) -> int:
        """Its last position."""
        return self.run.position + len(self.run.events)

    async def close(self) -> None:
        """Close its connections, and with them drop its rows."""
        await self.pool.close()


class Branches:
    """The branches in use, and some that were used last."""

    def __init__(self, target: Target, pool: Pool, as_of: AsOf, progress: ProgressTracker):
        self._target, self._pool, self._as_of, self._progress = target, pool, as_of, progress
        self._opened: dict[tuple[Any, ...], _Opened] = {}

    async def __aenter__(self) -> Branches:
        return self

    async def __aexit__(self, *_: object) -> None:
        for opened in [*self._opened.values()]:
            await opened.close()

    @asynccontextmanager
    async def use(
        self, name: str, revision: int, base: int | None, commands: PlannedCommands, actor: str
    ) -> AsyncIterator[Branch]:
        """Open the branch of commands at a position, by default the last one, for a block.

        Commands that equal recorded facts are left out. Raises InvalidInput, NotFound or VersionConflict for
        a command that the log would refuse.
        """
        start = (await self._as_of.resolve(position=base)).position
        known = self._progress.known
        key = name, revision, start, known.epoch if known else 0
        opened = self._opened.pop(key, None)
        if opened is None:
            opened = _Opened(asyncio.ensure_future(self._open(name, start, commands, actor)))
        self._opened[key] = opened
        opened.users += 1
        try:
            yield await asyncio.shield(opened.branch)
        finally:
            opened.users -= 1
            await self._close_unused(name)

    async def close(self, name: str) -> None:
        """Close the branches of a name, those in use after their last query."""
        for key, opened in self._opened.items():
            opened.ended |= key[0] == name
        await self._close_unused(name)

    async def _open(self, name: str, start: int, commands: PlannedCommands, actor: str) -> Branch:
        await self._as_of.searches.reach(start)
        columns = await _columns(self._pool)
        recorder = BranchRecorder(_branch_pool(self._pool, Cut(start, (), columns)), start)
        run = DryRun(start)
        with commands() as planned:
            recorded = await _recorded(recorder, planned)
            left = [index for index in range(len(planned)) if index not in recorded]
            try:
                if left:
                    run = await Commands(recorder).preview(
                        [planned[index] for index in left], idempotency_key=name, actor=actor
                    )
            except TrackerError as error:
                match error.path:
                    case (int() as index, *rest):  # of the commands that are not recorded
                        error.path = (left[index], *rest)
                raise
        return await open_branch(self._target, run, columns, recorded)

    async def _close_unused(self, name: str) -> None:
        """Close unused branches: those that a newer one of the same name follows, and the oldest ones."""
        keys = [key for key in self._opened if key[0] == name]
        for key in [*keys[:-1], *self._opened]:
            opened = self._opened.get(key)
            is_old = key in keys[:-1] or len(self._opened) > MAX_OPEN
            if opened and not opened.users and (is_old or opened.ended or opened.failed):
                del self._opened[key]
                await opened.close()


class _Opened:
    def __init__(self, branch: asyncio.Future[Branch]):
        self.branch = branch
        self.users = 0
        self.ended = False

    @property
    def failed(self) -> bool:
        done = self.branch.done()
        return done and (self.branch.cancelled() or self.branch.exception() is not None)

    async def close(self) -> None:
        if not self.failed:
            await (await self.branch).close()


async def _recorded(
    recorder: Recorder, commands: Sequence[DomainCommand]
) -> dict[int, RecordedEvent]:
    """Return the recorded events that equal commands, by the index of the command."""
    streams = {command.stream for command in commands if isinstance(command, RecordFact)}
    known = await recorder.read_streams_after(dict.fromkeys(streams, 0))
    equal: dict[int, RecordedEvent] = {}
    for index, command in enumerate(commands):
        if isinstance(command, RecordFact):
            content = _content(command.fact)
            for event in known[command.stream]:
                if type(event.fact) is type(command.fact) and _content(event.fact) == content:
                    equal[index] = event
    return equal


def _content(fact: Fact) -> dict[str, Any]:
    """Return the parts of a fact other than its sources and texts about them."""
    beside = {"source", "more_sources", "note", "quotation"}
    return {name: getattr(fact, name) for name in fact.__struct_fields__ if name not in beside}


async def open_branch(
    target: Target,
    run: DryRun,
    columns: Mapping[str, tuple[str, ...]],
    recorded: Mapping[int, RecordedEvent],
) -> Branch:
    """Open the branch of planned events."""
    overlay = await _Overlay.of(run)
    pool = await create_pool(
        target, size=CONNECTIONS, settings=SETTINGS, least=0, check=overlay.write
    )
    cut = Cut(run.position, tuple(sorted(run.known)), columns)
    reading, last = _branch_pool(pool, cut), run.position + len(run.events)
    recorder = BranchRecorder(reading, last)
    as_of = AsOf(reading, recorder, BranchProgress(last))
    as_of.facts.settled = run.position
    return Branch(run, recorded, pool, recorder, as_of, Changes(reading, recorder))


def _branch_pool(pool: Pool, cut: Cut) -> Pool:
    return cast(Pool, BranchPool(pool, lru_cache(MAX_STATEMENTS)(cut.statement)))


async def _columns(pool: Pool) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in await pool.fetch(SQL.columns, list(SOURCES)):
        source = row["source"]
        found[source if "." in source else f"projection.{source}"] = tuple(row["columns"])
    return found


@dataclass(frozen=True)
class _Overlay:
    """The rows of the entities with planned events."""

    run: DryRun
    versions: row_batch.RowBatch
    words: search_rows.IndexBatch

    @classmethod
    async def of(cls, run: DryRun) -> _Overlay:
        """Fold all events of these entities."""
        planned = {stream: [*events] for stream, events in run.known.items()}
        for event in run.events:
            planned[event.stream].append(event)
        streams = {
            stream: StreamFacts(1, [e.known for e in events], sum(len(e.entry) for e in events))
            for stream, events in planned.items()
        }
        last = run.position + len(run.events)
        nothing = cast(Connection, None)  # all facts are there
        with_words = {
            name: of for name, of in streams.items() if not name.startswith(WITHOUT_WORDS)
        }
        return cls(
            run,
            await row_batch.fold_streams(nothing, last, streams),
            await search_rows.fold_streams(nothing, last, with_words),
        )

    async def write(self, connection: Connection) -> None:
        """Write the rows to temporary tables of a new connection."""
        versions, words = Versions(), SearchIndex()
        await connection.execute(SQL.begin_tables)
        for tables in (versions.tables, words.tables):
            for statements in (tables.create, *tables.indexes):
                await connection.execute(statements)
        await connection.execute(SQL.create_events)
        await versions.write_page(connection, self.versions)
        await words.write_page(connection, self.words)
        await self._write_events(connection)
        await connection.execute(SQL.end_tables)

    async def _write_events(self, connection: Connection) -> None:
        rows = [
            (e.position, e.event_id, e.stream, e.version, e.type, e.recorded_at, e.entry)
            for e in self.run.events
        ]
        if rows:
            await connection.execute(SQL.add_events, *map(list, zip(*rows, strict=True)))
        annexes = [
            (bytes.fromhex(a.commitment.rpartition(":")[2]), e.position, a.field, a.salt, a.text)
            for e, new in zip(self.run.events, self.run.decided, strict=True)
            for a in new.annexes
        ]
        if annexes:
            await connection.execute(SQL.add_annexes, *map(list, zip(*annexes, strict=True)))
