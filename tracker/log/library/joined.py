"""Joining the inserts that wait at the same time in one transaction, each with its own outcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from eventsourcing.persistence import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    PersistenceError,
    StoredEvent,
)

from tracker.log.database import Connection
from tracker.log.library.datastore import Connections

MOST_JOINED = 500
"""How many waiting inserts go together in one transaction at most."""

Insert = Sequence[StoredEvent]
Outcome = Sequence[int] | PersistenceError
logger = logging.getLogger(__name__)


class Joined:
    """The inserts into one table. Everything here runs in the loop of its connections."""

    def __init__(self, connections: Connections, statement: str):
        self._connections = connections
        self._statement = statement
        self._waiting: list[tuple[Insert, asyncio.Future[Sequence[int]]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def insert(self, events: Insert) -> Sequence[int]:
        """Insert some events, all or none, and return their notification ids once durable."""
        future: asyncio.Future[Sequence[int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, future))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        return await future

    async def _flush(self) -> None:
        """Send what waits; while one transaction is in flight, the next gathers."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_JOINED], self._waiting[MOST_JOINED:]
                outcomes = await self._outcomes([events for events, _ in batch])
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    answer(future, outcome)
        finally:
            self._flushing = None

    async def _outcomes(self, inserts: Sequence[Insert]) -> list[Outcome]:
        """How each insert fared. What PostgreSQL can't even read spoils no other insert."""
        try:
            return await self._connections.run(
                lambda connection, again: insert(connection, self._statement, inserts, again))
        except PersistenceError as error:
            lost = isinstance(error, (OperationalError, InterfaceError))
            if lost or len(inserts) == 1:
                return [type(error)(str(error)) for _ in inserts]
            return [outcome for one in inserts for outcome in await self._outcomes([one])]
        except Exception as error:
            logger.exception("an insert failed in an unexpected way")
            return [PersistenceError(str(error)) for _ in inserts]


def answer(future: asyncio.Future[Sequence[int]], outcome: Outcome) -> None:
    """Tell one caller, if it still waits, how its insert fared."""
    if future.done():
        return
    if isinstance(outcome, PersistenceError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


async def insert(
    connection: Connection, statement: str, inserts: Sequence[Insert], again: bool
) -> list[Outcome]:
    """Insert over a connection in one round trip, and say how each insert fared.

    With `again`, an insert whose very events are there already has succeeded.
    """
    events = [event for events in inserts for event in events]
    rows = await connection.fetch(
        statement,
        again,
        [len(events) for events in inserts],
        [event.originator_id for event in events],
        [event.originator_version for event in events],
        [event.topic for event in events],
        [event.state for event in events],
    )
    return [
        IntegrityError(row["conflict"]) if row["first_id"] is None
        else list(range(row["first_id"], row["first_id"] + len(events)))
        for row, events in zip(rows, inserts, strict=True)
    ]
