"""The projector: follows the log and keeps the version rows, its tracking in the same transaction.

A crash at any point leaves the rows and the tracking of the last committed page; the next run
goes on from there. The rows do not depend on how the log was cut into pages.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import tracker.domain
from projections.columns import COLUMNS, record, subjects, texts
from projections.timeline import Revision, revise
from tracker.errors import Unavailable
from tracker.log.background import Background
from tracker.log.database import LOST, Connection, Pool, named_queries
from tracker.log.follow import Follower, wait
from tracker.log.mapper import Recorded
from tracker.log.recorder import read, read_streams

SQL = named_queries(Path(__file__).with_name("projector.sql"))
TABLES = named_queries(Path(__file__).with_name("tables.sql"))
PAGE = 1000

logger = logging.getLogger(__name__)


def fingerprint() -> str:
    """A hash of the code that rows follow from: the domain, the fold and the tables.

    Rows made by other code are made anew rather than mixed with these; an edit too many costs a
    rebuild, one too few would cost the truth.
    """
    floor = Path(__file__).parent
    domain = sorted(Path(tracker.domain.__file__).parent.glob("*.*"))
    own = [floor / name for name in (
        "timeline.py", "projector.py", "columns.py", "texts.py", "tables.sql")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in (*domain, *own))).hexdigest()


async def create_schema(connection: Connection) -> bool:
    """Create the live tables where they are missing.

    Returns whether rows that are there follow from this code; if not they need a rebuild.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('tables', 0))")
        if await connection.fetchval(SQL.tables_exist):
            return bool(await connection.fetchval(SQL.fold) == fingerprint())
        await create_bare_tables(connection)
        await connection.execute(TABLES.create_indexes)
    return True


async def create_bare_tables(connection: Connection) -> None:
    """Create the tables of an empty projection, without indexes, where the search path says."""
    await connection.execute(TABLES.create_tables)
    await connection.execute(TABLES.begin_tracking, fingerprint())


async def project_page(connection: Connection, *, page: int = PAGE) -> int:
    """Project the next events, at most `page`, in the caller's transaction; 0 when there are none.

    Returns the position reached.
    """
    position = await connection.fetchval(SQL.position)
    events = await read(connection, position, limit=page)
    if not events:
        return 0
    revisions = await _revisions(connection, position, events)
    await _close(connection, revisions)
    await add(connection, revisions.values())
    await connection.execute(SQL.advance, events[-1].position)
    return events[-1].position


async def _revisions(
    connection: Connection, position: int, events: list[Recorded]
) -> dict[str, Revision]:
    """What the events do to each entity that they touch."""
    new: dict[str, list[Recorded]] = defaultdict(list)
    for event in events:
        new[event.stream].append(event)
    before = await read_streams(connection, new, position)
    return {
        stream: revise(stream, [e.known for e in before[stream]], [e.known for e in added])
        for stream, added in new.items()
    }


async def _close(connection: Connection, revisions: dict[str, Revision]) -> None:
    closed = [(stream, start, position) for stream, revision in revisions.items()
              for start, position in revision.closed]
    if closed:
        streams, starts, positions = (list(column) for column in zip(*closed, strict=True))
        await connection.execute(SQL.close, streams, starts, positions)


async def add(connection: Connection, revisions: Iterable[Revision]) -> None:
    """Add the rows of revisions, and what their entities are about and say.

    Revisions may be made while they are asked for: PostgreSQL takes in the rows of earlier ones.
    """
    about: set[tuple[str, str, str]] = set()
    said: set[tuple[str, str, str]] = set()

    def records() -> Iterator[tuple[Any, ...]]:
        for revision in revisions:
            for row in revision.added:
                made = record(row)
                about.update(subjects(made))
                said.update(texts(made))
                yield made

    await connection.copy_records_to_table("versions", records=records(), columns=COLUMNS)
    for query, rows in ((SQL.add_subjects, about), (SQL.add_texts, said)):
        if rows:
            await connection.execute(query, *map(list, zip(*sorted(rows), strict=True)))


class Projector(Background):
    """Keeps the projection up to date, in this process or in whichever gets its turn first."""

    def __init__(self, pool: Pool, follower: Follower):
        self._pool = pool
        self._follower = follower
        self._progressed = asyncio.Event()

    async def catch_up(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Project all that is in the log now. `progress` gets the position after every page."""
        while True:
            async with self._pool.acquire() as connection, connection.transaction():
                if not await connection.fetchval(SQL.take_turn):
                    return
                position = await project_page(connection)
            if not position:
                return
            progress(position)
            self._progressed.set()
            self._progressed = asyncio.Event()

    async def position(self) -> int:
        """How far the projection has come."""
        return int(await self._pool.fetchval(SQL.position))

    async def reach(self, position: int, *, seconds: float = 10) -> None:
        """Wait until the projection has come to `position`. Raises Unavailable after `seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            progressed = self._progressed
            reached = await self.position()
            if reached >= position:
                return
            if loop.time() >= deadline:
                raise Unavailable(f"The projection is at position {reached} and did not reach"
                                  f" {position} in {seconds} s; the events are recorded")
            await wait(progressed, 0.05)

    async def run(self) -> None:
        """Project what comes, for ever."""
        while True:
            try:
                signal = self._follower.signal
                await self.catch_up()
                await wait(signal)
            except LOST as error:
                logger.warning("the projector lost its database and will try again: %s", error)
                await asyncio.sleep(0.5)
            except Exception:
                # A bug in a fold: stay at this event, visibly, rather than skip it.
                logger.exception("the projector can't go on and will try again")
                await asyncio.sleep(5)
