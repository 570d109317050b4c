"""Branches: the recorded log up to a position, continued by events that are not recorded.

The statements of all queries run unchanged on the connections of a branch, where a temporary view hides each
table. It has the recorded rows up to the position, without those of entities with hypothetical events, and
the rows of these entities, which the projections make from all their events. No rule is written twice. A
branch leaves nothing behind when its connections are closed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

from projections.query.as_of import PLANNED_ONCE, AsOf
from projections.query.changes import Changes
from projections.runner.folds import OwnFolds
from projections.runner.progress import Progress, ProgressTracker
from projections.runner.projection import Projection
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
from tracker.postgres.database import (
    Connection,
    Pool,
    RewritingSession,
    Target,
    create_pool,
    named_queries,
)

SQL = named_queries(Path(__file__).with_suffix(".sql"))
CONNECTIONS = 2
"""Maximum connections of a branch."""
PlannedCommands: TypeAlias = Callable[[], AbstractContextManager[Sequence[DomainCommand]]]
SETTINGS = {**PLANNED_ONCE, "default_transaction_read_only": "on"}
"""Settings of the connections: statements can write to temporary tables only."""
HYPOTHETICAL = "a branch has hypothetical events: nothing can be recorded in it"
MAX_OPEN = 4
"""Maximum number of branches that stay open for further queries."""
LOG_TABLES = re.compile(r"\blog\.(?=events\b|annexes\b)")
"""The schema of tables that statements name; without it they name the views of a branch."""


class BranchSession(RewritingSession):
    """A connection whose statements read a branch: all tables that they name are views of it."""

    def rewritten(self, query: str) -> str:
        """Return a statement that names the views."""
        return LOG_TABLES.sub("", query)


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

    def __init__(self, target: Target, as_of: AsOf, progress: ProgressTracker):
        self._target, self._as_of, self._progress = target, as_of, progress
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
        rows = _Rows(DryRun(start))
        pool = await create_pool(
            self._target,
            size=CONNECTIONS,
            settings=SETTINGS,
            least=0,
            check=rows.write,
            session=BranchSession,
        )
        try:
            with commands() as planned:
                recorded = await self._plan(rows, BranchRecorder(pool, start), planned, name, actor)
            await pool.expire_connections()  # new ones have the rows of the plan
            return _branch(pool, rows.run, recorded)
        except BaseException:
            await pool.close()
            raise

    async def _plan(
        self,
        rows: _Rows,
        recorder: Recorder,
        planned: Sequence[DomainCommand],
        name: str,
        actor: str,
    ) -> Mapping[int, RecordedEvent]:
        """Plan the events of the commands that equal no recorded facts, and return those that do."""
        recorded = await _recorded(recorder, planned)
        left = [index for index in range(len(planned)) if index not in recorded]
        new = [planned[index] for index in left]
        try:
            if new:
                run = await Commands(recorder).preview(new, idempotency_key=name, actor=actor)
                await rows.fold(run)
        except TrackerError as error:
            match error.path:
                case (int() as index, *rest):  # of the commands that are not recorded
                    error.path = (left[index], *rest)
            raise
        return recorded

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


def _branch(pool: Pool, run: DryRun, recorded: Mapping[int, RecordedEvent]) -> Branch:
    last = run.position + len(run.events)
    recorder = BranchRecorder(pool, last)
    as_of = AsOf(pool, recorder, BranchProgress(last))
    as_of.facts.settled = run.position
    return Branch(run, recorded, pool, recorder, as_of, Changes(pool, recorder))


class _Rows:
    """The rows of the entities with planned events; none before these are planned."""

    def __init__(self, run: DryRun):
        self.run = run
        self._batches: list[tuple[Projection[Any], Any]] = []

    async def fold(self, run: DryRun) -> None:
        """Fold all events of the entities of a plan."""
        planned = {stream: [*events] for stream, events in run.known.items()}
        for event in run.events:
            planned[event.stream].append(event)
        streams = {
            stream: StreamFacts(1, [e.known for e in events], sum(len(e.entry) for e in events))
            for stream, events in planned.items()
        }
        with_words = {
            name: of for name, of in streams.items() if not name.startswith(WITHOUT_WORDS)
        }
        nothing = cast(Connection, None)  # all facts are there
        last = run.position + len(run.events)
        self.run = run
        self._batches = [
            (Versions(), await row_batch.fold_streams(nothing, last, streams)),
            (SearchIndex(), await search_rows.fold_streams(nothing, last, with_words)),
        ]

    async def write(self, connection: Connection) -> None:
        """Write the rows to temporary tables of a new connection, and create views that add them."""
        await connection.execute(SQL.begin)
        if self._batches:
            await connection.execute(SQL.create_events)
            await self._write_events(connection)
        for projection, rows in self._batches:
            for statements in (projection.tables.create, *projection.tables.indexes):
                await connection.execute(statements)
            await projection.write_page(connection, rows)
        base, own = self.run.position, bool(self._batches)
        views = await connection.fetch(SQL.views, base, block_of(base)[0], [*self.run.known], own)
        await connection.execute(";".join(view["statement"] for view in views))
        await connection.execute(SQL.end)

    async def _write_events(self, connection: Connection) -> None:
        events = [
            (e.position, e.event_id, e.stream, e.version, e.type, e.recorded_at, e.entry)
            for e in self.run.events
        ]
        annexes = [
            (bytes.fromhex(a.commitment.rpartition(":")[2]), e.position, a.field, a.salt, a.text)
            for e, new in zip(self.run.events, self.run.decided, strict=True)
            for a in new.annexes
        ]
        for statement, rows in ((SQL.add_events, events), (SQL.add_annexes, annexes)):
            if rows:
                await connection.execute(statement, *map(list, zip(*rows, strict=True)))
