"""State of watching and its faults, for monitoring."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from tracker.postgres.database import Pool, named_queries

SQL = named_queries(Path(__file__).with_name("store.sql"))
LEASE = "watch"
"""Name of the watcher's lease."""
NO_ANSWER = ("UNREACHABLE", "TIMEOUT")
MAX_NAMED_SOURCES = 5


class SourceStatus(Struct, frozen=True):
    """State of a watched source.

    `age_seconds` is the time since its last complete poll or, before that, since it was first watched.
    `overdue` is true if its poll is later than permitted.
    """

    key: str
    name: str
    looked_at: datetime | None
    watched_at: datetime
    failing_since: datetime | None
    failures: int
    last_code: str | None
    last_error: str | None
    next_look_at: datetime
    overdue: bool
    age_seconds: float


class WatchSummary(Struct, frozen=True):
    """All watched sources, and whether a process polls them."""

    sources: tuple[SourceStatus, ...]
    watching: bool

    @property
    def failing(self) -> list[SourceStatus]:
        """Sources whose last poll was incomplete."""
        return [each for each in self.sources if each.failing_since is not None]

    @property
    def overdue(self) -> list[SourceStatus]:
        """Sources whose poll is overdue."""
        return [each for each in self.sources if each.overdue]

    @property
    def unreachable(self) -> list[SourceStatus]:
        """Sources whose publisher did not respond in the last poll."""
        return [each for each in self.failing if each.last_code in NO_ANSWER]

    @property
    def warnings(self) -> list[str]:
        """Return the faults, one per line."""
        warnings = []
        if self.overdue and not self.watching:
            warnings.append(f"no process watches: {_named(self.overdue)} should have been polled")
        elif self.overdue:
            warnings.append(f"sources that are polled late: {_named(self.overdue)}")
        if len(self.unreachable) == len(self.sources) > 1:
            since = min(each.failing_since for each in self.sources if each.failing_since)
            warnings.append(
                "no publisher can be reached: the network is missing, or a proxy is needed; nothing"
                f" is known of what was published after {since:%Y-%m-%d %H:%M} UTC"
            )
        elif self.failing:
            codes = Counter(each.last_code or "?" for each in self.failing)
            why = ", ".join(f"{code} {count}" for code, count in sorted(codes.items()))
            warnings.append(f"sources that could not be read: {_named(self.failing)} ({why})")
        return warnings


class WaitingCandidates(NamedTuple):
    """Number of candidates in the review queue, and the age of the oldest."""

    candidates: int
    oldest_seconds: float


def _named(sources: Sequence[SourceStatus]) -> str:
    names = ", ".join(each.key for each in sources[:MAX_NAMED_SOURCES])
    more = len(sources) - MAX_NAMED_SOURCES
    return f"{names} and {more} more" if more > 0 else names


class WatchOverview:
    """Reads the state of watching. Needs the role `tracker_api`."""

    def __init__(self, pool: Pool):
        self._pool = pool

    async def summary(self) -> WatchSummary:
        """Return the present summary, whichever process watches."""
        rows = await self._pool.fetch(SQL.summary)
        watching = bool(rows) and bool(await self._pool.fetchval(SQL.watching, LEASE))
        return WatchSummary(tuple(SourceStatus(**row) for row in rows), watching)

    async def waiting(self) -> WaitingCandidates:
        """Return the present number and age of the candidates in the queue."""
        row = await self._pool.fetchrow(SQL.waiting)
        assert row is not None
        return WaitingCandidates(**row)
