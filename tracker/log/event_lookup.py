"""Lookup of events: by position, by id, and by type in a stream."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TypeVar

from tracker.log.durability import Durability
from tracker.log.entries import RecordedEvent, recorded
from tracker.log.resume_token import MAX_POSITION
from tracker.postgres.database import Pool, named_queries

SQL = named_queries(Path(__file__).with_name("event_lookup.sql"))
K = TypeVar("K")


class EventLookup:
    """Looks up events of one log, many per query."""

    def __init__(self, pool: Pool, durability: Durability):
        self._pool = pool
        self._durability = durability

    async def by_position(self, positions: Collection[int]) -> dict[int, RecordedEvent]:
        """Return the existing events at some positions."""
        possible = [position for position in positions if position <= MAX_POSITION]
        rows = await self._pool.fetch(SQL.by_position, possible)
        events = {row["position"]: recorded(row["entry"]) for row in rows}
        return await self._filter_durable(events)

    async def by_id(self, event_ids: Collection[str]) -> dict[str, RecordedEvent]:
        """Return the existing events with some ids."""
        rows = await self._pool.fetch(SQL.by_id, list(event_ids))
        return await self._filter_durable({row["event_id"]: recorded(row["entry"]) for row in rows})

    async def _filter_durable(self, events: dict[K, RecordedEvent]) -> dict[K, RecordedEvent]:
        """Return the durable ones of some events."""
        if not events or not self._durability.synchronous:
            return events
        last = await self._durability.release(max(event.position for event in events.values()))
        return {key: event for key, event in events.items() if event.position <= last}

    async def of_types(
        self, streams: Collection[str], types: Sequence[str]
    ) -> dict[str, list[RecordedEvent]]:
        """Return the events of some types in some streams, in order; an empty list for none."""
        by_stream: dict[str, list[RecordedEvent]] = {stream: [] for stream in streams}
        for row in await self._pool.fetch(SQL.of_types, list(by_stream), types):
            by_stream[row["stream"]].append(recorded(row["entry"]))
        return by_stream

    async def with_text(
        self, types: Sequence[str], text: str, first: int = 1
    ) -> list[RecordedEvent]:
        """Return the first events of some types whose entries contain a text, in order.

        All events of these types up to the last match are read.
        """
        rows = await self._pool.fetch(SQL.with_text, types, text, first)
        return [recorded(row["entry"]) for row in rows]
