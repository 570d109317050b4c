"""The durable position: no failover removes events up to it. Events above it are not shown.

With synchronous standbys of PostgreSQL, a commit is visible to others once the standbys have it. There are
two exceptions: the wait was cancelled, or PostgreSQL crashed and recovered, after which all written commits
are visible. So a visible event is durable only when a commit that began later was confirmed. Without
synchronous standbys all visible events count as durable, and no query is needed.

A log can still be set back by a forced failover or a restored backup. Then the data that this process has
shown and cached by position are wrong: it shows nothing more, and ends.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from tracker.errors import LogSetBack, TrackerError
from tracker.log.entries import RecordedEvent
from tracker.log.entry_hash import leaf_hash
from tracker.postgres.batching import Batcher, UnconfirmedCommit
from tracker.postgres.database import (
    CHECK_TIMEOUT_SECONDS,
    CONNECTION_ERRORS,
    Connection,
    named_queries,
)


class LogEnd(NamedTuple):
    """The end of the log as last shown by a process."""

    position: int = 0
    """The last position."""
    entry_at: int = 0
    entry_hash: bytes = b""
    """The hash of the entry at `entry_at`, the last known one; it may be before `position`."""
    appended_at: int = 0
    event_id: str = ""
    """The id of the event at `appended_at`, the last acknowledged one."""
    timeline: int = 0
    """The newest timeline of PostgreSQL; each promotion of a primary begins the next one."""


class LogView(NamedTuple):
    """The log as seen by a connection, at the positions shown before."""

    position: int
    standby: bool
    """Whether the server is a standby, which may lag behind."""
    timeline: int
    """The timeline; 0 on a standby."""
    entry_hash: bytes | None
    """The hash of the entry at `entry_at`; None if there is none."""
    event_id: str | None
    """The id of the event at `appended_at`; None if there is none."""
    last_hash: bytes | None
    """The hash of the entry at the last position shown."""


class Continuity(Enum):
    """Result of a continuity check."""

    HOLDS = "it has what was shown"
    FORMER_PRIMARY = "it is of a primary that has a successor"
    SET_BACK = "the log was set back"


def compare(shown: LogEnd, view: LogView) -> tuple[Continuity, str]:
    """Compare a database with the end of the log shown before; return the difference in words, if any."""
    difference = _difference(shown, view)
    if difference is None:
        return Continuity.HOLDS, ""
    late = not view.standby and view.timeline < shown.timeline
    return Continuity.FORMER_PRIMARY if late else Continuity.SET_BACK, difference


def _difference(shown: LogEnd, view: LogView) -> str | None:
    if view.position < shown.position and not view.standby:
        return f"it ends at {view.position}, and {shown.position} was shown"
    is_other = view.entry_hash not in (None, shown.entry_hash)
    if shown.entry_at and is_other:
        return f"the entry at {shown.entry_at} is not the one that was shown"
    if shown.appended_at and view.event_id not in (None, shown.event_id):
        return f"the event at {shown.appended_at} is not the one that was acknowledged"
    return None


def with_last_entry(shown: LogEnd, view: LogView) -> LogEnd:
    """Return the shown end with its entry, read from a database that contains all of it."""
    timeline = max(shown.timeline, view.timeline)
    if view.last_hash is None or shown.entry_at >= shown.position:
        return shown._replace(timeline=timeline)
    return shown._replace(timeline=timeline, entry_at=shown.position, entry_hash=view.last_hash)


CONFIRMATION_TIMEOUT_SECONDS = 1.0
"""Maximum seconds that readers wait for a confirmation; newer events are not shown until it arrives."""
FORMER_PRIMARY_SECONDS = 60.0
"""Seconds for which a database of an older timeline is treated as a former primary that does not know its
successor. After that it is treated as a restored backup."""

SQL = named_queries(Path(__file__).with_name("durability.sql"))

logger = logging.getLogger(__name__)


class FormerPrimary(ConnectionError):
    """The connection leads to a primary that has a successor."""


async def _confirm_nothing() -> None:
    """Confirm nothing, for processes that cannot append."""


class Durability:
    """Determines the position up to which a log may be shown. `confirm` returns once all visible events
    are durable."""

    def __init__(self, confirm: Callable[[], Awaitable[None]] = _confirm_nothing):
        self.confirm = confirm
        self._confirming = Batcher(self._confirm_all)
        self._since: float | None = None
        """Start of the wait for a confirmation; None if there is no wait."""
        self._position: int | None = None
        """The last position that may be shown; None before the first check."""
        self.synchronous = False
        """Whether commits wait for standbys, according to the last response of the database."""
        self._shown = LogEnd()
        self._last_event: RecordedEvent | None = None
        """The last event that was read; its hash is computed on demand."""
        self._former_since: float | None = None
        """Time since which new connections have led to a former primary."""
        self.set_back: str | None = None
        """The shown data that are missing now, if the log was set back."""
        self.noticed = asyncio.Event()
        """Set when the log was set back."""

    async def head(self, connection: Connection) -> int:
        """Return the last position that may be shown, of a log as seen by a connection; 0 if there is
        none.

        Raises UnconfirmedCommit, LogSetBack and FormerPrimary.
        """
        shown = self._position or 0
        row = await connection.fetchrow(SQL.head)
        assert row is not None
        if row["position"] < shown:
            await self.check(connection)
        self.synchronous = row["synchronous"]
        return await self.release(row["position"])

    async def release(self, seen: int) -> int:
        """Return the position up to which a log may be shown that is visible up to a position.

        It is lower while no standby confirms. Raises UnconfirmedCommit before the first confirmation, and
        LogSetBack.
        """
        self.require_continuity()
        if not self.synchronous:
            self.note_durable(seen)  # if standbys are added, events that were shown stay visible
        if self._position is not None and seen <= self._position:
            return seen
        waited = 0.0 if self._since is None else time.monotonic() - self._since
        try:
            async with asyncio.timeout(max(CONFIRMATION_TIMEOUT_SECONDS - waited, 0)):
                await self._confirming.submit(seen)
            return seen
        except (TimeoutError, TrackerError, *CONNECTION_ERRORS) as error:
            self.require_continuity()
            if self._position is None:
                raise UnconfirmedCommit(
                    "no synchronous standby confirms the visible events"
                ) from error
            return min(seen, self._position)

    async def release_events(self, events: list[RecordedEvent]) -> list[RecordedEvent]:
        """Return the events, in order, that may be shown. Raises like `release`."""
        self.require_continuity()
        if events and self.synchronous:
            last = await self.release(events[-1].position)
            events = [event for event in events if event.position <= last]
        if events:
            event = events[-1]
            self.note_durable(event.position)
            if self._last_event is None or event.position > self._last_event.position:
                self._last_event = event
        return events

    def note_durable(self, position: int) -> None:
        """Record that all events up to a position are durable, for example after a confirmed append."""
        if self._position is None or position > self._position:
            self._position = position

    def note_appended(self, position: int, event_id: str) -> None:
        """Record that all events up to a position are durable, with the event there."""
        self.note_durable(position)
        if position > self._shown.appended_at:
            self._shown = self._shown._replace(appended_at=position, event_id=event_id)

    def require_continuity(self) -> None:
        """Raise LogSetBack if the log was set back."""
        if self.set_back:
            raise LogSetBack(self.set_back)

    async def check(self, connection: Connection) -> None:
        """Check that a new connection contains the events shown before, before it is used.

        Raises LogSetBack, also in later calls, and FormerPrimary.
        """
        self.require_continuity()
        shown = self._shown = self._present()
        key = shown.entry_at, shown.appended_at, shown.position
        row = await connection.fetchrow(SQL.look, *key, timeout=CHECK_TIMEOUT_SECONDS)
        assert row is not None
        view = LogView(*row)
        outcome, difference = compare(shown, view)
        if outcome is Continuity.HOLDS:
            self._former_since = None
            self._learn(with_last_entry(shown, view))
            return
        now = time.monotonic()
        if outcome is Continuity.FORMER_PRIMARY:
            self._former_since = self._former_since or now
            if now - self._former_since < FORMER_PRIMARY_SECONDS:
                raise FormerPrimary(f"the server is a former primary: {difference}")
        self._note_set_back(difference)

    def _present(self) -> LogEnd:
        """Return the end of the log shown so far."""
        shown, event = self._shown._replace(position=self._position or 0), self._last_event
        if event is not None and event.position > shown.entry_at:
            shown = shown._replace(entry_at=event.position, entry_hash=leaf_hash(event.entry))
        return shown

    def _learn(self, learned: LogEnd) -> None:
        """Apply the result of a check; further events may have been shown since it began."""
        now = self._shown
        if learned.entry_at > now.entry_at:
            now = now._replace(entry_at=learned.entry_at, entry_hash=learned.entry_hash)
        self._shown = now._replace(timeline=max(now.timeline, learned.timeline))

    def _note_set_back(self, difference: str) -> None:
        if self.set_back is None:
            self.set_back = difference
            logger.error("%s", LogSetBack(difference).message)
            self.noticed.set()
        raise LogSetBack(self.set_back)

    async def _confirm_all(self, positions: Sequence[int]) -> Sequence[int | Exception]:
        """Confirm all events that were visible when this began."""
        self._since = time.monotonic()
        try:
            await self.confirm()
        except Exception as error:
            logger.warning("new events are not shown: no standby confirms them (%s)", error)
            return [error] * len(positions)
        finally:
            self._since = None
        self.note_durable(max(positions))
        return positions


async def head(connection: Connection) -> int:
    """Return the last position visible to a connection, durable or not; 0 if the log is empty."""
    return int(await connection.fetchval(SQL.head))
