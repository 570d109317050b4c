"""The recorders of the eventsourcing library, over asyncpg."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import asyncpg
from eventsourcing import persistence

from tracker.eventsourcing_asyncpg.datastore import Connections, Datastore
from tracker.eventsourcing_asyncpg.identifiers import names
from tracker.eventsourcing_asyncpg.subscription import AsyncpgSubscription, WatchableRecorder
from tracker.postgres.batching import Batcher
from tracker.postgres.database import Connection, named_queries

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


SQL = named_queries(Path(__file__).with_name("recorders.sql"))


class AsyncpgRecorder:
    """Base of all recorders: a datastore, and tables in it."""

    def __init__(self, datastore: Datastore, **tables: str):
        self.datastore = datastore
        self._names = names(datastore.schema, datastore.originator_id_type, **tables)
        self.sql_create_statements: list[str] = []
        """The statements of `create_table`, in order; a subclass may add tables of its own."""

    def create_table(self) -> None:
        """Create missing objects, in one transaction."""
        self.datastore.create(self.sql_create_statements)

    def _sql(self, query: str) -> str:
        """Return a query of the `.sql` file, for the tables of this recorder."""
        return str(getattr(SQL, query)).format_map(self._names)


class AsyncpgAggregateRecorder(AsyncpgRecorder, persistence.AggregateRecorder):
    """Stores events by originator; also snapshots."""

    def __init__(
        self, datastore: Datastore, *, events_table_name: str = "stored_events", **tables: str
    ):
        super().__init__(datastore, events=events_table_name, **tables)
        self.events_table_name = events_table_name
        self._add_events_table()

    def _add_events_table(self) -> None:
        self.sql_create_statements.append(self._sql("create_aggregate_events"))

    def insert_events(
        self, stored_events: Sequence[persistence.StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Insert events, all or none. Raises IntegrityError if the version of one is taken."""
        events = self._with_keys(stored_events)

        async def work(connection: Connection, again: bool) -> None:
            if again:
                raise persistence.OperationalError(
                    "the connection was lost: the events may be recorded or not"
                )
            await connection.execute(
                self._sql("insert_aggregate_events"),
                [event.originator_id for event in events],
                [event.originator_version for event in events],
                [event.topic for event in events],
                [event.state for event in events],
            )

        self.datastore.run(work)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[persistence.StoredEvent]:
        """Return the events of an originator in the order of their versions, descending with `desc`."""
        rows = self.datastore.fetch(
            self._sql("select_events_backwards" if desc else "select_events"),
            self._key(originator_id),
            gt,
            lte,
            limit,
        )
        return [persistence.StoredEvent(**_stored_fields(row)) for row in rows]

    def _key(self, originator_id: UUID | str) -> UUID | str:
        """Return an originator's id in the type of the table; a text table may hold UUIDs."""
        return originator_id if self.datastore.originator_id_type == "uuid" else str(originator_id)

    def _with_keys(
        self, events: Sequence[persistence.StoredEvent]
    ) -> Sequence[persistence.StoredEvent]:
        if self.datastore.originator_id_type == "uuid":
            return events
        return [replace(event, originator_id=self._key(event.originator_id)) for event in events]


class AsyncpgApplicationRecorder(AsyncpgAggregateRecorder, WatchableRecorder):
    """Stores events by originator, and all of them in the order of their notification ids."""

    def __init__(self, datastore: Datastore, **tables: str):
        super().__init__(datastore, **tables)
        self._insert = self._sql("insert_application_events")
        self._inserts = InsertBatcher(datastore.connections, self._insert)

    def _add_events_table(self) -> None:
        self.sql_create_statements += [
            self._sql("create_application_events"),
            self._sql("create_insert"),
        ]

    def insert_events(
        self, stored_events: Sequence[persistence.StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Insert events, all or none, and return their notification ids once they are durable.

        Concurrent inserts in this process share a transaction, and each has its own outcome. Raises
        IntegrityError if the version of an event is taken. Raises OperationalError or InterfaceError if the
        database is unavailable: then the events may be recorded or not.
        """
        if not stored_events:
            return []
        return self.datastore.call(self._inserts.insert(self._with_keys(stored_events)))

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[persistence.Notification]:
        """Return at most `limit` events from `start` to `stop`, in order, filtered by topics if given."""
        first = 0 if start is None else start if inclusive_of_start else start + 1
        rows = self.datastore.fetch(
            self._sql("select_notifications"), first, stop, list(topics) or None, limit
        )
        return [
            persistence.Notification(id=row["notification_id"], **_stored_fields(row))
            for row in rows
        ]

    def max_notification_id(self) -> int | None:
        """Return the last notification id, or None if nothing is recorded."""
        return _only(self.datastore.fetch(self._sql("max_notification_id")))

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> AsyncpgSubscription:
        """Yield every event after a notification id, then each new one."""
        return AsyncpgSubscription(self, gt, topics)

    def watch(self, woken: Event) -> None:
        """Set `woken` when events are recorded, while `woken` is referenced."""
        self.datastore.watch(self.events_table_name, woken)


class AsyncpgTrackingRecorder(AsyncpgRecorder, persistence.TrackingRecorder):
    """Tracks the processed events of other applications. The base of views."""

    def __init__(
        self,
        datastore: Datastore,
        *,
        tracking_table_name: str = "notification_tracking",
        **tables: str,
    ):
        super().__init__(datastore, tracking=tracking_table_name, **tables)
        self.tracking_table_name = tracking_table_name
        self.sql_create_statements.append(self._sql("create_tracking"))

    def insert_tracking(self, tracking: persistence.Tracking) -> None:
        """Record that a notification has been processed.

        Raises IntegrityError unless it is after all processed ones.
        """
        self.record(tracking, _nothing)

    def record(
        self, tracking: persistence.Tracking, work: Callable[[Connection], Awaitable[object]]
    ) -> None:
        """Run work over a connection and record the tracking, in one transaction.

        A view changes its own tables this way: exactly once for each notification. Raises IntegrityError
        unless the notification is after all processed ones.
        """

        async def transaction(connection: Connection, again: bool) -> None:
            async with connection.transaction():
                if await self._track(connection, tracking, again):
                    await work(connection)

        self.datastore.run(transaction)

    async def _track(
        self, connection: Connection, tracking: persistence.Tracking, again: bool
    ) -> bool:
        """Record the tracking; return False if an earlier attempt has, together with its work."""
        name, position = tracking.application_name, tracking.notification_id
        if await connection.fetchval(self._sql("insert_tracking"), name, position) is not None:
            return True
        reached = await connection.fetchval(self._sql("max_tracking_id"), name)
        if again and reached == position:
            return False
        raise persistence.IntegrityError(
            f"notification {position} of {name}: expected one after {reached}, which is processed"
        )

    def max_tracking_id(self, application_name: str) -> int | None:
        """Return the last processed notification id of an application, if any."""
        return _only(self.datastore.fetch(self._sql("max_tracking_id"), application_name))


class AsyncpgProcessRecorder(
    AsyncpgTrackingRecorder, AsyncpgApplicationRecorder, persistence.ProcessRecorder
):
    """Stores events together with the tracking of the notification that caused them."""

    def insert_events(
        self, stored_events: Sequence[persistence.StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Insert events and, if given, the `tracking`, all or none.

        Raises the errors of insert_events of the application recorder and of insert_tracking.
        """
        tracking: persistence.Tracking | None = kwargs.get("tracking")
        if tracking is None:
            return super().insert_events(stored_events, **kwargs)
        if not stored_events:
            self.insert_tracking(tracking)
            return []
        return self._insert_tracked(self._with_keys(stored_events), tracking)

    def _insert_tracked(
        self, events: Sequence[persistence.StoredEvent], tracking: persistence.Tracking
    ) -> Sequence[int]:
        async def transaction(connection: Connection, again: bool) -> Sequence[int]:
            async with connection.transaction():
                await self._track(connection, tracking, again)
                [outcome] = await insert(connection, self._insert, [events], again)
                if isinstance(outcome, persistence.PersistenceError):
                    raise outcome
                return outcome

        return self.datastore.run(transaction)


async def _nothing(_connection: Connection) -> None:
    """Do nothing: the work of tracking alone."""


def _only(rows: Sequence[asyncpg.Record]) -> int | None:
    value: int | None = rows[0][0]
    return value


def _stored_fields(row: asyncpg.Record) -> dict[str, Any]:
    """Return the fields of a stored event, with UUIDs that the library's transcoder supports."""
    key = row["originator_id"]
    return {
        "originator_id": UUID(bytes=key.bytes) if isinstance(key, UUID) else key,
        "originator_version": row["originator_version"],
        "topic": row["topic"],
        "state": row["state"],
    }
