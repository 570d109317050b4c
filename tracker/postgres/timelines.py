"""Timelines: which of two servers that both take writes is the primary.

Whenever PostgreSQL promotes a standby, that begins a new timeline with a higher number. A primary that
was silent meanwhile (its processes stopped, its network cut) still takes itself for one when it is
back. So once this process has seen a timeline it is done with older ones: it makes no connection to
a server that still writes them, and drops those that it has, busy or not. What was in flight over
them has an unknown outcome; no commit is cancelled by that. Only where the newer one has been gone for
`OLD_TIMELINE_SECONDS`, as where somebody has restored an older backup in its place, an older one is
taken; whether its log was set back is seen to by others (tracker/log/continuity.py).
"""

from __future__ import annotations

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
"""Seconds after the last connection to a newer timeline for which no older one is taken."""

logger = logging.getLogger(__name__)


class OldTimeline(ConnectionError):
    """A server takes writes, but another was promoted since."""


@dataclass(slots=True)
class Cluster:
    """Servers that replicate one another, as far as this process knows them by a list of hosts."""

    timeline: int = 0
    """The newest that was seen."""
    seen_at: float = 0.0
    """When, by the monotonic clock."""
    connections: WeakKeyDictionary[Any, int] = field(default_factory=WeakKeyDictionary)
    """Connections to servers that took writes, with the timeline of each."""

    def admit(self, connection: Any, timeline: int) -> None:
        """Note a connection, and drop all to older timelines. Raises OldTimeline."""
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
        """Whether somebody who writes the newest timeline was there a short while ago."""
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
            with suppress(RuntimeError):  # the loop of another thread may be over
                connection._loop.call_soon_threadsafe(connection.terminate)


CLUSTERS: dict[Hashable, Cluster] = defaultdict(Cluster)
"""The clusters that this process knows, by their hosts and their identifiers. (A copy of one that was
restored elsewhere has its identifier, and timelines of its own.)"""


async def admit(hosts: Hashable, connection: Any) -> None:
    """Note what a new connection leads to, by a list of hosts; those to its predecessors are dropped.

    Raises OldTimeline where the server is a predecessor itself, and what connections raise.
    """
    try:
        row = await connection.fetchrow(TIMELINE)
    except (asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError):
        return  # a service that does not tell: only its own address leads to the primary there
    if row["timeline"] is not None:
        CLUSTERS[hosts, row["cluster"]].admit(connection, row["timeline"])
