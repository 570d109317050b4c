"""The events of one endpoint that are set aside by a person, and what becomes of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tracker.delivery.progress import Progress, ReplayPlace, Standing


@dataclass(slots=True)
class ParkedEvent:
    """An event that is set aside: the position before it, None until the cursor has passed it, and
    whether a person wants it tried again."""

    previous: int | None
    retry: bool


class ParkedEvents:
    """What is parked of an endpoint, by position. What becomes of it is written with its progress."""

    def __init__(self, events: Mapping[int, ParkedEvent], standing: Standing, progress: Progress):
        self._events = dict(events)
        self._standing, self._progress = standing, progress

    def __contains__(self, position: object) -> bool:
        return position in self._events

    def update(self, events: Mapping[int, ParkedEvent]) -> bool:
        """Take over what the database has, which may not know yet what the cursor has passed; whether
        it is anything else than before."""
        known, self._events = self._events, dict(events)
        differs = known != self._events
        for position, event in self._events.items():
            if event.previous is None and position in known:
                event.previous = known[position].previous
        return differs

    def next_retry(self) -> tuple[int, int] | None:
        """The first event that a person wants tried again, with the position before it."""
        for position, event in self._events.items():
            if event.retry:
                assert event.previous is not None
                return position, event.previous
        return None

    def drop_delivered(self, replay: ReplayPlace | None) -> None:
        """Take off what was parked while it was being accepted, or is wanted in its turn."""
        for position in list(self._delivered(replay)):
            self.end(position)

    def _delivered(self, replay: ReplayPlace | None) -> Iterator[int]:
        for position, event in self._events.items():
            again = replay is not None and replay.position < position <= replay.last
            behind = position <= self._standing.cursor.position and not again
            if event.previous is None and (event.retry or behind):
                yield position

    def note_passed(self, passed: Mapping[int, int]) -> None:
        """Note the positions before those that the cursor has passed, where they are parked."""
        for position, previous in passed.items():
            event = self._events.get(position)
            if event is not None and event.previous is None:
                event.previous = previous
                key = (self._standing.endpoint, position)
                self._progress.unwritten.passed[key] = previous

    def note_failure(self, position: int, error: str) -> None:
        """Note that the receiver has not taken an event this time, either."""
        if event := self._events.get(position):  # unless a person has taken it off meanwhile
            event.retry = False
        self._progress.unwritten.parked_errors[self._standing.endpoint, position] = error
        self._progress.changed(self._standing)

    def end(self, position: int) -> None:
        """Take an event off: it was delivered."""
        self._events.pop(position, None)
        self._progress.unwritten.accepted_parked.add((self._standing.endpoint, position))
        self._progress.changed(self._standing)
