"""Rate limits of hosts: one request at a time, with a pause between two, longer on request."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


class HostHeld(Exception):
    """A host has requested a delay of `seconds` more."""

    def __init__(self, seconds: float):
        super().__init__(f"the host asked to wait {seconds:.0f} seconds more")
        self.seconds = seconds


@dataclass(slots=True)
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0


class Pacing:
    """Schedules requests per host, for all fetches of this process."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def slot(
        self, host: str, pause_seconds: float, max_wait_seconds: float
    ) -> AsyncIterator[None]:
        """Wait for and hold the slot of a host; the next one starts some seconds after its end.

        Raises HostHeld if the host must not be contacted for longer than `max_wait_seconds`.
        """
        state = self._host(host)
        async with state.lock:
            while (wait := state.free_at - time.monotonic()) > 0:
                if wait > max_wait_seconds:
                    raise HostHeld(wait)
                await asyncio.sleep(wait)
            try:
                yield
            finally:
                state.free_at = max(state.free_at, time.monotonic() + pause_seconds)

    def hold(self, host: str, seconds: float) -> None:
        """Block requests to a host for some seconds."""
        state = self._host(host)
        state.free_at = max(state.free_at, time.monotonic() + seconds)

    def _host(self, host: str) -> _Host:
        return self._hosts.setdefault(host, _Host())
