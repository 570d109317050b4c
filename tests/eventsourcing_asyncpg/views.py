"""A materialised view in a separate table, written like a library user's."""

from typing import Any

from eventsourcing.persistence import Tracking
from eventsourcing.tests.projection import EventCountersView

from tracker.eventsourcing_asyncpg import AsyncpgTrackingRecorder
from tracker.postgres.database import Connection

CREATE = """CREATE TABLE IF NOT EXISTS public.counters (
                name text PRIMARY KEY, count bigint NOT NULL)"""
INCREMENT = """INSERT INTO public.counters AS c VALUES ($1, 1)
               ON CONFLICT (name) DO UPDATE SET count = c.count + 1"""


class EventCounters(AsyncpgTrackingRecorder, EventCountersView):
    """Return the numbers of created aggregates and of later events."""

    def __init__(self, *arguments: Any, **names: Any):
        super().__init__(*arguments, **names)
        self.sql_create_statements.append(CREATE)

    def get_created_event_counter(self) -> int:
        return self._count("created")

    def get_subsequent_event_counter(self) -> int:
        return self._count("subsequent")

    def incr_created_event_counter(self, tracking: Tracking) -> None:
        self._increment("created", tracking)

    def incr_subsequent_event_counter(self, tracking: Tracking) -> None:
        self._increment("subsequent", tracking)

    def _count(self, name: str) -> int:
        rows = self.datastore.fetch("SELECT count FROM public.counters WHERE name = $1", name)
        return rows[0]["count"] if rows else 0

    def _increment(self, name: str, tracking: Tracking) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute(INCREMENT, name)

        self.record(tracking, work)
