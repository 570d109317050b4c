"""The projector: follows the log and keeps the version rows, its tracking in the same transaction.

A crash at any point leaves the rows and the tracking of the last committed page; the next run
goes on from there. The rows do not depend on how the log was cut into pages.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path

import tracker.domain
from projections.rows import COLUMNS, Finding, tabled
from projections.timeline import Revision, Row, revise
from projections.tracked import Tracked
from tracker.domain.entity import Known
from tracker.errors import Unavailable
from tracker.log.background import Background
from tracker.log.database import LOST, Connection, Pool, named_queries
from tracker.log.follow import Follower, wait
from tracker.log.recorder import read, read_streams

SQL = named_queries(Path(__file__).with_name("projector.sql"))
TABLES = named_queries(Path(__file__).with_name("tables.sql"))
PAGE = 1000
PACE = 20
"""Entities to fold before the rows of earlier ones go on their way to PostgreSQL."""

logger = logging.getLogger(__name__)


def fingerprint() -> str:
    """A hash of the code that rows follow from: the domain, the fold and the tables.

    Rows made by other code are made anew rather than mixed with these; an edit too many costs a
    rebuild, one too few would cost the truth.
    """
    floor = Path(__file__).parent
    domain = sorted(Path(tracker.domain.__file__).parent.glob("*.*"))
    own = [floor / name for name in (
        "timeline.py", "rows.py", "texts.py", "projector.py", "tables.sql")]
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
        await connection.execute(TABLES.create_version_indexes)
        await connection.execute(TABLES.create_finding_indexes)
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
    new: dict[str, list[Known]] = defaultdict(list)
    for event in events:
        new[event.stream].append(event.known)
    before = await read_streams(connection, new, position)
    await _write(connection, (
        (stream, revise(stream, [e.known for e in before[stream]], added))
        for stream, added in new.items()))
    await connection.execute(SQL.advance, events[-1].position)
    return events[-1].position


async def _write(connection: Connection, revisions: Iterable[tuple[str, Revision]]) -> None:
    """Add and close the rows that revisions of streams say, and add what these are found by."""
    finding, closed = Finding(), list[tuple[str, date, int]]()

    def added() -> Iterator[list[Row]]:
        for stream, revision in revisions:
            closed.extend((stream, *row) for row in revision.closed)
            yield revision.added

    await connection.copy_to_table("versions", source=records(added(), finding), columns=COLUMNS)
    if closed:
        await connection.execute(SQL.close, *map(list, zip(*closed, strict=True)))
    for query, rows in ((SQL.add_subjects, finding.subjects), (SQL.add_texts, finding.said)):
        if rows:
            await connection.execute(query, *map(list, zip(*sorted(rows), strict=True)))


async def records(
    entities: Iterable[Sequence[Row]], finding: Finding
) -> AsyncIterator[bytes]:
    """The rows of entities as COPY takes them, while PostgreSQL takes in those before them.

    What the entities are found by is added to `finding`.
    """
    entities = iter(entities)
    while some := list(islice(entities, PACE)):
        yield "".join(record for rows in some for record in tabled(rows, finding)).encode()
        await asyncio.sleep(0)


class Projector(Background):
    """Keeps the projection up to date, in this process or in whichever gets its turn first."""

    def __init__(self, pool: Pool, follower: Follower):
        self._pool = pool
        self._follower = follower
        self.tracked = Tracked(pool, follower)
        """Knows how far it has come, whoever projects."""
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
            self.tracked.come(position)
            progress(position)
            self._progressed.set()
            self._progressed = asyncio.Event()

    async def position(self) -> int:
        """How far the projection has come."""
        return await self.tracked.ask()

    async def reach(self, position: int, *, seconds: float = 10) -> None:
        """Wait until the projection has come to `position`. Raises Unavailable after `seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            progressed, known = self._progressed, self.tracked.known
            reached = known.position if known else 0
            if reached < position:
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
                await self.tracked.ask()  # nobody notifies of a database put back to an older state
                await wait(signal)
            except LOST as error:
                logger.warning("the projector lost its database and will try again: %s", error)
                await asyncio.sleep(0.5)
            except Exception:
                # A bug in a fold: stay at this event, visibly, rather than skip it.
                logger.exception("the projector can't go on and will try again")
                await asyncio.sleep(5)
