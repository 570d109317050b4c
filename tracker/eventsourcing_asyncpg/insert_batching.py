"""Batches of concurrent inserts, each with its own outcome."""

import logging
from collections.abc import Sequence

from eventsourcing import persistence

from tracker.eventsourcing_asyncpg.datastore import Connections
from tracker.postgres.batching import Batcher
from tracker.postgres.database import Connection

Insert = Sequence[persistence.StoredEvent]
Outcome = Sequence[int] | persistence.PersistenceError
logger = logging.getLogger(__name__)


class InsertBatcher:
    """Batches the inserts into one table. Everything here runs in the loop of its connections."""

    def __init__(self, connections: Connections, statement: str):
        self._connections = connections
        self._statement = statement
        self._joined = Batcher(self._outcomes)

    async def insert(self, events: Insert) -> Sequence[int]:
        """Insert some events, all or none, and return their notification ids once durable."""
        return await self._joined.submit(events)

    async def _outcomes(self, inserts: Sequence[Insert]) -> list[Outcome]:
        """Return the outcome of each insert. Data that PostgreSQL cannot parse affect no other insert."""
        try:
            return await self._connections.run(
                lambda connection, again: insert(connection, self._statement, inserts, again)
            )
        except persistence.PersistenceError as error:
            lost = isinstance(error, (persistence.OperationalError, persistence.InterfaceError))
            if lost or len(inserts) == 1:
                return [type(error)(str(error)) for _ in inserts]
            return [outcome for one in inserts for outcome in await self._outcomes([one])]
        except Exception as error:
            logger.exception("an insert failed in an unexpected way")
            return [persistence.PersistenceError(str(error)) for _ in inserts]


async def insert(
    connection: Connection, statement: str, inserts: Sequence[Insert], again: bool
) -> list[Outcome]:
    """Insert over a connection in one round trip, and return the outcome of each insert.

    With `again`, an insert whose exact events exist already has succeeded.
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
        persistence.IntegrityError(row["conflict"])
        if row["first_id"] is None
        else list(range(row["first_id"], row["first_id"] + len(events)))
        for row, events in zip(rows, inserts, strict=True)
    ]
