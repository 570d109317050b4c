"""Cache of the newest events of the log, shared by all followers. Pure."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from tracker.log.entries import RecordedEvent

MAX_EVENTS = 1000
"""The number of events kept in memory; followers that are further behind read the log."""


class RecentEvents:
    """A gapless run of events up to a position; initially empty."""

    def __init__(self, position: int, most: int = MAX_EVENTS):
        self._events: deque[RecordedEvent] = deque(maxlen=most)
        self.position = position

    def extend(self, events: Sequence[RecordedEvent]) -> None:
        """Append the following events, and drop the oldest."""
        self._events.extend(events)
        if events:
            self.position = events[-1].position

    def after(self, position: int, limit: int) -> list[RecordedEvent] | None:
        """Return at most `limit` events after a position; None if the cache does not contain all of them."""
        missing = max(self.position - position, 0)
        start = len(self._events) - missing
        return list(islice(self._events, start, start + limit)) if start >= 0 else None
