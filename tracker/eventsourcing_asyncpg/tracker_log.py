"""The tracker's own log as the event store of the eventsourcing library.

Selected by `PERSISTENCE_MODULE=tracker.eventsourcing_asyncpg.tracker_log`. An `Application` then has the
tracker's entities in its repository, and a `ProjectionRunner` follows the tracker's events with a view in
separate tables. Notification ids are positions, originator ids are streams, and topics are event types. See
docs/library.md.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import msgspec
from eventsourcing import persistence
from eventsourcing.domain import DomainEventProtocol

from tracker.commands.commands import check_id_is_free
from tracker.commands.decisions import check_actors, referenced_alliances
from tracker.domain.basics.codec import decode
from tracker.domain.entities.entity import Entity
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.recordable import check_recordable
from tracker.domain.events.registry import fact_type
from tracker.errors import IdempotencyConflict, VersionConflict
from tracker.eventsourcing_asyncpg import factory
from tracker.eventsourcing_asyncpg.datastore import Datastore
from tracker.eventsourcing_asyncpg.recorders import AsyncpgApplicationRecorder
from tracker.log.append import AppendResult, append
from tracker.log.entries import NewEvent, new_event, recorded, to_aggregate_event
from tracker.log.recorder import SQL as LOG
from tracker.postgres.database import Connection, named_queries

SQL = named_queries(Path(__file__).with_name("tracker_log.sql"))


class EntityMapper(persistence.Mapper[str]):
    """Maps events of entities to stored events and back.

    The state of a stored event from the log is its entry. That of a new event is the input from which the log
    creates the entry, with the texts that become annexes.
    """

    def __init__(self, transcoder: persistence.Transcoder, actor: str):
        super().__init__(transcoder)
        self._actor = actor

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> persistence.StoredEvent:
        """Return an event of an entity in the format of the log.

        Raises InvalidInput or TooLarge for an event that cannot be recorded.
        """
        assert isinstance(domain_event, Entity.Event)
        check_recordable(domain_event.fact)
        new = new_event(domain_event, self._actor)
        return persistence.StoredEvent(new.stream, new.version, new.type, msgspec.json.encode(new))

    def to_domain_event(self, stored_event: persistence.StoredEvent) -> DomainEventProtocol[str]:
        """Return the entity's event in an entry. Texts in annexes are commitments there."""
        return to_aggregate_event(recorded(stored_event.state))


class TrackerLogRecorder(AsyncpgApplicationRecorder):
    """Reads and appends to the log for the library. Migrations create its tables."""

    def __init__(self, datastore: Datastore):
        self.datastore, self.events_table_name = datastore, "log"

    def insert_events(
        self, stored_events: Sequence[persistence.StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append events, all or none, by the rules of every command, and return their positions once they
        are durable.

        Raises IntegrityError if an entity is at another version or an event id is in use. Raises InvalidInput
        for an id reserved for imports or an unknown actor. Raises OperationalError or InterfaceError if the
        database is unavailable: then the events may be recorded or not.
        """
        if not stored_events:
            return []
        events = [msgspec.json.decode(stored.state, type=NewEvent) for stored in stored_events]

        async def work(connection: Connection, _again: bool) -> AppendResult:
            await _check(connection, events)
            [outcome] = await append(connection, [events])  # detects recorded events
            if not isinstance(outcome, AppendResult):
                raise outcome
            return outcome

        try:
            return self.datastore.run(work).positions
        except (VersionConflict, IdempotencyConflict) as error:
            raise persistence.IntegrityError(error.message) from error

    def _sql(self, query: str) -> str:
        """Return a query on the log."""
        return str(getattr(SQL, query))

    def _key(self, originator_id: UUID | str) -> str:
        """Return the name of an entity."""
        return str(originator_id)


class TrackerLogFactory(factory.AsyncpgFactory):
    """Creates applications over the tracker's log. Views have separate tables in the same database.

    Raises OSError for a missing or invalid setting.
    """

    def mapper(
        self,
        transcoder: persistence.Transcoder | None = None,
        mapper_class: type[persistence.Mapper[Any]] | None = None,
    ) -> persistence.Mapper[Any]:
        """Return the mapper of entities, for any requested class: the log has one format."""
        return EntityMapper(
            transcoder or self.transcoder(), f"application:{self.env.name or 'unnamed'}"
        )

    def application_recorder(self) -> TrackerLogRecorder:
        """Return the recorder of the log."""
        return TrackerLogRecorder(self.datastore)

    def aggregate_recorder(self, purpose: str = "events") -> NoReturn:
        """Raise NotSupportedError: the log has no snapshots."""
        raise persistence.NotSupportedError(
            f"the tracker's log has no {purpose} besides its events"
        )

    def process_recorder(self) -> NoReturn:
        """Raise NotSupportedError: a projection stores its tracking in a view, not in the log."""
        raise persistence.NotSupportedError(
            "no process application can write to the tracker's log: expected a ProjectionRunner"
        )


async def _check(connection: Connection, events: Sequence[NewEvent]) -> None:
    """Check the rules that involve more than the entity of an event. Raises InvalidInput."""
    facts: list[Fact] = [decode(fact_type(event.type), event.data) for event in events]
    rows = await connection.fetch(LOG.existing_streams, sorted(referenced_alliances(facts)))
    alliances = {row["stream"] for row in rows}
    for event, fact in zip(events, facts, strict=True):
        check_id_is_free(event.event_id, fact)
        check_actors(fact, alliances)
        alliances.add(event.stream)
