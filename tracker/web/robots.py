"""The robots.txt of hosts (RFC 9309), parsed by Protego and cached for a day."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from msgspec import Struct
from protego import Protego

from tracker.web.failures import FetchError

CACHE_SECONDS = 24 * 3600
MAX_ROBOTS_BYTES = 500 * 1024
"""Of a larger file only the beginning counts: this much must be read (RFC 9309, 2.5)."""
MAX_CRAWL_DELAY_SECONDS = 120.0
"""Maximum pause between two requests that is obeyed: a longer one is most likely a mistake."""


Get: TypeAlias = Callable[[str], Awaitable[bytes]]


class Rules(Struct, frozen=True):
    """The permissions of a host, and its requested pause between two requests."""

    parsed: Protego | None
    read_at: float

    def allow(self, url: str, agent: str) -> bool:
        """Return whether a program of that name may fetch an address."""
        return self.parsed is None or self.parsed.can_fetch(url, agent)

    def pause_seconds(self, agent: str) -> float:
        """Return the pause between two requests that a program of that name must keep."""
        delay = self.parsed.crawl_delay(agent) if self.parsed else None
        return min(delay or 0.0, MAX_CRAWL_DELAY_SECONDS)


class Robots:
    """The rules of hosts by their origin.

    A host that answers 4xx for its robots.txt has no rules: all is permitted. If the file is unavailable for
    another reason, nothing is fetched, and it is requested again next time.
    """

    def __init__(self) -> None:
        self._rules: dict[str, Rules] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def rules(self, origin: str, get: Get) -> Rules:
        """Return the rules of an origin such as https://example.com.

        `get` fetches its robots.txt, within separate limits. Raises FetchError.
        """
        async with self._locks.setdefault(origin, asyncio.Lock()):
            known = self._rules.get(origin)
            if known is None or time.monotonic() - known.read_at > CACHE_SECONDS:
                known = self._rules[origin] = await _read(origin, get)
            return known


async def _read(origin: str, get: Get) -> Rules:
    try:
        content = await get(f"{origin}/robots.txt")
    except FetchError as error:
        if error.code == "HTTP_STATUS" and 400 <= (error.status or 0) < 500:
            return Rules(None, time.monotonic())
        raise
    if len(content) >= MAX_ROBOTS_BYTES:
        content = content.rpartition(b"\n")[0]  # the last line may be incomplete
    text = content.decode("utf-8-sig", errors="replace")
    return Rules(await asyncio.to_thread(Protego.parse, text), time.monotonic())
