"""The delay of the event loop: the time that a ready callback waits for other work."""

import asyncio
from weakref import ref

BEAT_SECONDS = 0.05
WINDOW_SECONDS = 60.0
"""Seconds after which a maximum is replaced; scrapes of several servers see the same one."""


class LoopDelay:
    """The longest delay of the loop in the last one to two minutes.

    A timer measures its own lateness, from the first scrape on. It ends with this object.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._window_end, self._due = 0.0, 0.0
        self._longest, self._previous = 0.0, 0.0

    def begin(self) -> None:
        """Set the timer in the running loop, once."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._due = self._loop.time()
            self._window_end = self._due + WINDOW_SECONDS
            self.measure()

    @property
    def seconds(self) -> float:
        """The longest delay in seconds."""
        waiting = self._loop.time() - self._due if self._loop else 0
        return max(self._longest, self._previous, waiting)

    def measure(self) -> None:
        """Measure the lateness of the timer, and set it again."""
        assert self._loop is not None
        now = self._loop.time()
        if now > self._window_end:
            self._previous, self._longest = self._longest, 0.0
            self._window_end = now + WINDOW_SECONDS
        self._longest = max(self._longest, now - self._due)
        self._due = now + BEAT_SECONDS
        self._loop.call_at(self._due, _beat, ref(self))


def _beat(delay: ref[LoopDelay]) -> None:
    if measured := delay():
        measured.measure()
