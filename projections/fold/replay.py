"""In-memory replay of an exported or streamed log, with the same fold as the database."""

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from projections.fold.entity_rows import Version
from projections.fold.timeline import timeline
from tracker.domain.entities.entity import RecordedFact
from tracker.log.entries import RecordedEvent

STATE_FORMAT = 3
"""Format number of written states, published with each digest. Digests of different formats are not
comparable. Increase it in a release that writes other states for the same log."""


class ReplayState:
    """All entities, folded in memory. Add every event of a log in order."""

    def __init__(self) -> None:
        self._known: dict[str, list[RecordedFact]] = defaultdict(list)
        self._folded: dict[tuple[str, int], list[Version]] = {}
        self.position = 0

    def add(self, event: RecordedEvent) -> None:
        """Add the next event. Raises ValueError if it does not follow the last one."""
        if event.position != self.position + 1:
            raise ValueError(
                f"position {event.position} follows {self.position}: events are"
                " missing or out of order"
            )
        self.position = event.position
        self._known[event.stream].append(event.known)

    def states(self, valid_at: date, position: int) -> Iterator[tuple[str, Version]]:
        """Yield every entity's version on a day, as recorded at a position, by name."""
        for entity in sorted(self._known):
            known = self._known[entity]
            count = bisect_right(known, position, key=lambda k: k.position)
            for version in self._timeline(entity, count):
                if version.holds(valid_at):
                    yield entity, version

    def lines(self, valid_at: date, position: int) -> Iterator[bytes]:
        """Yield the whole state as JSON lines in canonical order."""
        for entity, version in self.states(valid_at, position):
            yield line(entity, version.text)

    def digest(self, valid_at: date, position: int) -> str:
        """Return the SHA-256 of the whole state, as hexadecimal digits."""
        digest = hashlib.sha256()
        for line in self.lines(valid_at, position):
            digest.update(line)
        return digest.hexdigest()

    def _timeline(self, entity: str, count: int) -> list[Version]:
        """Return the cached timeline of the first `count` facts."""
        key = entity, count
        if key not in self._folded:
            self._folded[key] = timeline(entity, self._known[entity][:count]) if count else []
        return self._folded[key]


def line(entity: str, state: str) -> bytes:
    """Return the line of an entity in the whole state, from its state as JSON."""
    return b'{"entity":"%s","state":%s}\n' % (entity.encode(), state.encode())
