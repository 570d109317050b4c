"""Events of one endpoint that a person has set aside."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from tracker.delivery.progress import DeliveryState, Progress, ReplayPlace


class ParkedEvent(Struct):
    """A parked event: the position before it (None until the cursor has passed it), and whether a retry was
    requested."""

    previous: int | None
    retry: bool


class ParkedEvents:
    """The parked events of an endpoint, by position. Their changes are written with its progress."""

    def __init__(self, events: Mapping[int, ParkedEvent], state: DeliveryState, progress: Progress):
        self._events = dict(events)
        self._state, self._progress = state, progress

    def __contains__(self, position: object) -> bool:
        return position in self._events

    def update(self, events: Mapping[int, ParkedEvent]) -> bool:
        """Apply the state in the database, and return whether it changed anything.

        The database may not contain the latest passed positions yet.
        """
        known, self._events = self._events, dict(events)
        differs = known != self._events
        for position, event in self._events.items():
            if event.previous is None and position in known:
                event.previous = known[position].previous
        return differs

    def next_retry(self) -> tuple[int, int] | None:
        """Return the first event with a requested retry, and the position before it."""
        for position, event in self._events.items():
            if event.retry:
                assert event.previous is not None
                return position, event.previous
        return None

    def drop_delivered(self, replay: ReplayPlace | None) -> None:
        """Remove events that were delivered meanwhile, or are to be delivered in order."""
        for position in list(self._delivered(replay)):
            self.end(position)

    def _delivered(self, replay: ReplayPlace | None) -> Iterator[int]:
        for position, event in self._events.items():
            again = replay is not None and replay.position < position <= replay.last
            behind = position <= self._state.cursor.position and not again
            if event.previous is None and (event.retry or behind):
                yield position

    def note_passed(self, passed: Mapping[int, int]) -> None:
        """Record the previous positions of parked events that the cursor has passed."""
        for position, previous in passed.items():
            event = self._events.get(position)
            if event is not None and event.previous is None:
                event.previous = previous
                key = (self._state.endpoint, position)
                self._progress.unwritten.passed[key] = previous

    def note_failure(self, position: int, error: str) -> None:
        """Record that the retry of an event failed."""
        if event := self._events.get(position):  # unless a person has unparked it meanwhile
            event.retry = False
        self._progress.unwritten.parked_errors[self._state.endpoint, position] = error
        self._progress.changed(self._state)

    def end(self, position: int) -> None:
        """Remove a delivered event."""
        self._events.pop(position, None)
        self._progress.unwritten.accepted_parked.add((self._state.endpoint, position))
        self._progress.changed(self._state)
