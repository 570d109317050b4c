"""The newest events of the log, in memory, shared by all followers. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from tracker.log.entries import RecordedEvent

MAX_EVENTS = 1000
"""The number of events kept in memory; followers further behind read the log."""


class RecentEvents:
    """A gapless run of events up to a position; empty at first."""

    def __init__(self, position: int, most: int = MAX_EVENTS):
        self._events: deque[RecordedEvent] = deque(maxlen=most)
        self.position = position

    def extend(self, events: Sequence[RecordedEvent]) -> None:
        """Add the events that follow; the oldest make room."""
        self._events.extend(events)
        if events:
            self.position = events[-1].position

    def after(self, position: int, limit: int) -> list[RecordedEvent] | None:
        """At most `limit` events after a position; None if they are not all here."""
        missing = max(self.position - position, 0)
        start = len(self._events) - missing
        return list(islice(self._events, start, start + limit)) if start >= 0 else None
