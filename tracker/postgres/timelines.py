"""Timelines: which of two writable servers is the primary.

Each promotion of a standby by PostgreSQL begins a timeline with a higher number. A primary that was
unreachable meanwhile (stopped processes, a lost network) still acts as primary when it returns. So once this
process has seen a timeline, it does not use older ones. It opens no connection to a server that still writes
them, and drops existing ones, busy or not. Commands in flight over them have an unknown outcome; no commit is
cancelled by that.

An older timeline is accepted only if the newer one has been gone for `OLD_TIMELINE_SECONDS`, for example
after a restore of an older backup. A separate check detects whether its log was set back
(tracker/log/continuity.py).
"""

import logging
import time
from collections import defaultdict
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import asyncpg

TIMELINE = Path(__file__).with_name("timeline.sql").read_text(encoding="utf-8")

OLD_TIMELINE_SECONDS = 60.0
"""Seconds after the last connection to a newer timeline in which no older one is accepted."""

logger = logging.getLogger(__name__)


class OldTimeline(ConnectionError):
    """A server is writable, but another one has been promoted since."""


@dataclass(slots=True)
class Cluster:
    """Servers that replicate one another, as known to this process for a list of hosts."""

    timeline: int = 0
    """The newest timeline seen."""
    seen_at: float = 0.0
    """Time of the last connection to it, by the monotonic clock."""
    connections: WeakKeyDictionary[Any, int] = field(default_factory=WeakKeyDictionary)
    """Connections to writable servers, with their timelines."""

    def admit(self, connection: Any, timeline: int) -> None:
        """Register a connection, and drop all connections to older timelines. Raises OldTimeline."""
        now = time.monotonic()
        if timeline < self.timeline and self._has_newest(now):
            raise OldTimeline(
                f"the server writes timeline {timeline}, but {self.timeline} was begun by another"
            )
        is_newer = timeline > self.timeline
        self.connections[connection], self.timeline, self.seen_at = timeline, timeline, now
        if is_newer:
            self._drop_older()

    def _has_newest(self, now: float) -> bool:
        """Return whether a writer of the newest timeline was connected recently."""
        return now - self.seen_at < OLD_TIMELINE_SECONDS or any(
            timeline == self.timeline and not connection.is_closed()
            for connection, timeline in list(self.connections.items())
        )

    def _drop_older(self) -> None:
        older = [
            connection
            for connection, timeline in list(self.connections.items())
            if timeline < self.timeline and not connection.is_closed()
        ]
        if older:
            logger.warning("another server is the primary now: %d connections end", len(older))
        for connection in older:
            with suppress(RuntimeError):  # the loop of another thread may be closed
                connection._loop.call_soon_threadsafe(connection.terminate)


CLUSTERS: dict[Hashable, Cluster] = defaultdict(Cluster)
"""The clusters known to this process, by their hosts and their identifiers. A copy restored elsewhere has
the same identifier, but its own timelines."""


async def admit(hosts: Hashable, connection: Any) -> None:
    """Register the server of a new connection, by a list of hosts, and drop connections to its
    predecessors.

    Raises OldTimeline if the server itself is a predecessor, and connection errors.
    """
    try:
        row = await connection.fetchrow(TIMELINE)
    except (asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError):
        return  # a service that does not report it: only its own address leads to the primary
    if row["timeline"] is not None:
        CLUSTERS[hosts, row["cluster"]].admit(connection, row["timeline"])
