"""What a host allows programs to fetch: its robots.txt (RFC 9309), read by Protego, kept for a day."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from protego import Protego

from tracker.web.failures import FetchError

KEEP_SECONDS = 24 * 3600
MAX_ROBOTS_BYTES = 500 * 1024
"""Of a larger file the rules in its beginning count: as much of it has to be read (RFC 9309, 2.5)."""
MAX_CRAWL_DELAY_SECONDS = 120.0
"""The longest pause between two requests that is obeyed: nobody means to be asked once an hour."""


Get: TypeAlias = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a host allows, and the pause that it wants between two requests."""

    parsed: Protego | None
    read_at: float

    def allow(self, url: str, agent: str) -> bool:
        """Whether a program of that name may fetch an address."""
        return self.parsed is None or self.parsed.can_fetch(url, agent)

    def pause_seconds(self, agent: str) -> float:
        """The pause that a program of that name has to keep between two requests."""
        delay = self.parsed.crawl_delay(agent) if self.parsed else None
        return min(delay or 0.0, MAX_CRAWL_DELAY_SECONDS)


class Robots:
    """The rules of hosts by their origin.

    A host whose robots.txt is refused with 4xx has none: all is allowed. Where it can't be had for
    another reason nothing is fetched, and it is asked for again the next time.
    """

    def __init__(self) -> None:
        self._rules: dict[str, Rules] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def rules(self, origin: str, get: Get) -> Rules:
        """The rules of an origin such as https://example.com; `get` fetches its robots.txt, within
        limits of its own. Raises FetchError."""
        async with self._locks.setdefault(origin, asyncio.Lock()):
            known = self._rules.get(origin)
            if known is None or time.monotonic() - known.read_at > KEEP_SECONDS:
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
        content = content.rpartition(b"\n")[0]  # the last line may be cut in two
    text = content.decode("utf-8-sig", errors="replace")
    return Rules(await asyncio.to_thread(Protego.parse, text), time.monotonic())
