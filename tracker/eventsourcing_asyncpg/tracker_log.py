"""The tracker's own log as the event store of the eventsourcing library.

Chosen by `PERSISTENCE_MODULE=tracker.eventsourcing_asyncpg.tracker_log`. An `Application` then has
the tracker's entities in its repository, and a `ProjectionRunner` follows the tracker's events with
a view in tables of its own. Notification ids are positions, originator ids are streams, and topics
are event types. See docs/library.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any, NoReturn
from uuid import UUID

import asyncpg
import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    IntegrityError,
    Mapper,
    Notification,
    NotSupportedError,
    StoredEvent,
    Transcoder,
)

from tracker.commands.commands import check_id_is_free
from tracker.commands.decisions import check_actors, referenced_alliances
from tracker.domain.codec import decode
from tracker.domain.entity import Entity
from tracker.domain.recordable import check_recordable
from tracker.domain.registry import fact_type
from tracker.domain.values import Fact
from tracker.errors import IdempotencyConflict, VersionConflict
from tracker.eventsourcing_asyncpg import factory
from tracker.eventsourcing_asyncpg.datastore import Datastore
from tracker.eventsourcing_asyncpg.subscription import AsyncpgSubscription, WatchableRecorder
from tracker.log.append import AppendResult, append
from tracker.log.entries import NewEvent, new_event, recorded, to_aggregate_event
from tracker.log.recorder import SQL as LOG
from tracker.postgres.database import Connection, named_queries

SQL = named_queries(Path(__file__).with_name("tracker_log.sql"))


class EntityMapper(Mapper[str]):
    """Between the events of entities and what is stored of them.

    A stored event that was read has its entry as its state. One that is to be written has what the
    log makes the entry of, with the texts that become annexes.
    """

    def __init__(self, transcoder: Transcoder, actor: str):
        super().__init__(transcoder)
        self._actor = actor

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """An event that an entity decided, in the form that the log takes.

        Raises InvalidInput or TooLarge for one that may not be recorded.
        """
        assert isinstance(domain_event, Entity.Event)
        check_recordable(domain_event.fact)
        new = new_event(domain_event, self._actor)
        return StoredEvent(new.stream, new.version, new.type, msgspec.json.encode(new))

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        """The entity's event that an entry holds. Texts in annexes are commitments there."""
        return to_aggregate_event(recorded(stored_event.state))


class TrackerLogRecorder(WatchableRecorder):
    """The log as the library reads it and appends to it."""

    def __init__(self, datastore: Datastore):
        self.datastore = datastore

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append events, all or none, by the rules of every command, and return their positions
        once they are durable.

        Raises IntegrityError where an entity is at another version by now or an event id is in use,
        InvalidInput for an id that only imports give or for an actor that does not exist, and
        OperationalError or InterfaceError when the database could not be had: then the events may
        be recorded or not.
        """
        if not stored_events:
            return []
        events = [msgspec.json.decode(stored.state, type=NewEvent) for stored in stored_events]

        async def work(connection: Connection, _again: bool) -> AppendResult:
            await _check(connection, events)
            [outcome] = await append(connection, [events])  # what is recorded already is found
            if not isinstance(outcome, AppendResult):
                raise outcome
            return outcome

        try:
            return self.datastore.run(work).positions
        except (VersionConflict, IdempotencyConflict) as error:
            raise IntegrityError(error.message) from error

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of an entity in the order of their versions, backwards with `desc`."""
        query = SQL.select_events_backwards if desc else SQL.select_events
        rows = self.datastore.fetch(query, str(originator_id), gt, lte, limit)
        return [StoredEvent(**_stored_fields(row)) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """At most `limit` events between two positions, in order; with topics, only events of
        these types."""
        first = 0 if start is None else start if inclusive_of_start else start + 1
        rows = self.datastore.fetch(
            SQL.select_notifications, first, stop, list(topics) or None, limit
        )
        return [Notification(id=row["position"], **_stored_fields(row)) for row in rows]

    def max_notification_id(self) -> int | None:
        """The last position, or None when nothing is recorded."""
        position: int | None = self.datastore.fetch(SQL.max_notification_id)[0][0]
        return position

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> AsyncpgSubscription:
        """Every event after a position, and then each new one as it comes."""
        return AsyncpgSubscription(self, gt, topics)

    def watch(self, woken: Event) -> None:
        """Set `woken` whenever events have been recorded, for as long as somebody holds it."""
        self.datastore.watch("log", woken)


class TrackerLogFactory(factory.AsyncpgFactory):
    """Applications over the tracker's log. Views have tables of their own, in the same database.

    Raises OSError for a setting that is missing or wrong.
    """

    def mapper(
        self, transcoder: Transcoder | None = None, mapper_class: type[Mapper[Any]] | None = None
    ) -> Mapper[Any]:
        """The mapper of entities, whatever class is asked for: the log has one format."""
        return EntityMapper(
            transcoder or self.transcoder(), f"application:{self.env.name or 'unnamed'}"
        )

    def application_recorder(self) -> TrackerLogRecorder:  # type: ignore[override]
        """The recorder of the log."""
        return TrackerLogRecorder(self.datastore)

    def aggregate_recorder(self, purpose: str = "events") -> NoReturn:
        """The log keeps no snapshots. Raises NotSupportedError."""
        raise NotSupportedError(f"the tracker's log has no {purpose} beside its events")

    def process_recorder(self) -> NoReturn:
        """A projection keeps its tracking in a view, not in the log. Raises NotSupportedError."""
        raise NotSupportedError(
            "no process application can write to the tracker's log: expected a ProjectionRunner"
        )


async def _check(connection: Connection, events: Sequence[NewEvent]) -> None:
    """Hold events to the rules that need more than their entity. Raises InvalidInput."""
    facts: list[Fact] = [decode(fact_type(event.type), event.data) for event in events]
    rows = await connection.fetch(LOG.existing_streams, sorted(referenced_alliances(facts)))
    alliances = {row["stream"] for row in rows}
    for event, fact in zip(events, facts, strict=True):
        check_id_is_free(event.event_id, fact)
        check_actors(fact, alliances)
        alliances.add(event.stream)


def _stored_fields(row: asyncpg.Record) -> dict[str, Any]:
    """The fields of a stored event."""
    return {
        "originator_id": row["stream"],
        "originator_version": row["version"],
        "topic": row["type"],
        "state": row["entry"],
    }
