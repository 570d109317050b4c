"""A peer: the eventsourcing library's ProjectionRunner with a view in PostgreSQL."""

from __future__ import annotations

from typing import Any

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL, Identifier


class Claim(Aggregate):
    """An aggregate with one fact."""

    @event("Told")
    def __init__(self, data: str):
        self.data = data


class Facts(Application):
    """The log of facts."""


class View(PostgresTrackingRecorder):
    """A table with one row per fact."""

    def __init__(self, datastore: PostgresDatastore, **arguments: Any):
        super().__init__(datastore, **arguments)
        self.sql_create_statements.append(
            SQL("CREATE TABLE IF NOT EXISTS {} (id uuid PRIMARY KEY, data text)").format(
                Identifier("peer_view")
            )
        )

    def add(self, id: Any, data: str, tracking: Tracking) -> None:
        """Add a row and the position of the view, in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute("INSERT INTO peer_view VALUES (%s, %s)", (id, data))
            self._insert_tracking(cursor, tracking)


class ToView(Projection[View]):
    """A projection of facts to the view."""

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Add one fact."""
        self.view.add(domain_event.originator_id, domain_event.data, tracking)


def filled(environment: dict[str, str], facts: list[str]) -> int:
    """Record facts, and return the id of the last one's notification.

    It records a hundred at a time, because the library's pipeline hangs with thousands at once.
    """
    application = Facts(env=environment)
    for start in range(0, len(facts), 100):
        recordings = application.save(*(Claim(data) for data in facts[start : start + 100]))
    application.close()
    return int(recordings[-1].notification.id)


def follow(environment: dict[str, str], last: int) -> None:
    """Project all facts."""
    with ProjectionRunner(
        application_class=Facts, projection_class=ToView, view_class=View, env=environment
    ) as runner:
        runner.wait(last, timeout=300)
    runner.view.datastore.close()  # otherwise its threads keep the process alive
