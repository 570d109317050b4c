"""How much a turn of the projector takes from the log, and how long it may last."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tracker.postgres.database import CONNECTION_ERRORS

TURN_SECONDS = 4
"""Seconds that a turn may last.

When its process freezes nothing is projected meanwhile, and the longer that takes, the more there is
to catch up with before mutations are answered again: within 10 seconds they must be. A page takes a
few tenths of a second.
"""


@dataclass(slots=True)
class TurnLimits:
    """The limits of the next turn.

    A process that lost its turn because it could not write a page in time would lose it again with
    the same page, for ever. So the next page has half as many events; once it is one event, the next
    turn may last twice as long. Quick turns bring the limits back, step by step.
    """

    max_events: int
    min_seconds: float = TURN_SECONDS
    events: int = field(init=False)
    """Events of a page."""
    seconds: float = field(init=False)
    """How long the turn may last."""

    def __post_init__(self) -> None:
        self.events, self.seconds = self.max_events, self.min_seconds

    @property
    def setting(self) -> str:
        """The seconds as a setting of PostgreSQL."""
        return f"{self.seconds * 1000:.0f}ms"

    @property
    def statement_seconds(self) -> float:
        """Seconds to wait for an answer: PostgreSQL ends the turn before that."""
        return 1.5 * self.seconds

    @contextmanager
    def writing(self, began: float) -> Iterator[None]:
        """A block that writes a page, in a turn that began at this time of `time.monotonic`."""
        try:
            yield
        except CONNECTION_ERRORS:
            if time.monotonic() - began >= self.seconds:  # other losses have other causes
                self.shrink()
            raise
        if time.monotonic() - began < self.seconds / 4:
            self.grow()

    def shrink(self) -> None:
        """Let the next turn do less, or last longer."""
        if self.events == 1:
            self.seconds *= 2
        self.events = max(self.events // 2, 1)

    def grow(self) -> None:
        """Take back a step of `shrink`."""
        if self.seconds > self.min_seconds:
            self.seconds /= 2
        else:
            self.events = min(2 * self.events, self.max_events)
