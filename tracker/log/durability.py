"""The durable position: up to where no failover takes the log back. Nothing above it leaves us.

Where PostgreSQL has synchronous standbys a commit is seen by others when they have it, but for two
cases: somebody cancelled the wait, or PostgreSQL crashed and recovered in place, after which all that
it had written is seen. So an event that is seen counts only when a commit that began later was
confirmed. Without synchronous standbys whatever is seen counts, and nothing is asked.

All the same a log can be set back: by a failover that somebody forces, by a restored backup. Then what
this process has shown, and keeps by position, is false: it shows nothing more, and ends.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from tracker.errors import LogSetBack, TrackerError
from tracker.log.continuity import Continuity, LogEnd, LogView, compare, with_last_entry
from tracker.log.entries import RecordedEvent
from tracker.log.entry_hash import leaf_hash
from tracker.postgres.batching import Batcher, UnconfirmedCommit
from tracker.postgres.database import (
    CHECK_TIMEOUT_SECONDS,
    CONNECTION_ERRORS,
    Connection,
    named_queries,
)

CONFIRMATION_TIMEOUT_SECONDS = 1.0
"""Seconds for which whoever reads waits for a confirmation; then what is newer is not shown yet."""
FORMER_PRIMARY_SECONDS = 60.0
"""Seconds for which a database of an older timeline is taken for a former primary that has not
noticed its successor; after that, for a backup that was restored."""

SQL = named_queries(Path(__file__).with_name("durability.sql"))

logger = logging.getLogger(__name__)


class FormerPrimary(ConnectionError):
    """A connection leads to a primary that has a successor."""


async def _confirm_nothing() -> None:
    """Of who has no log to append to."""


class Durability:
    """Knows how much of one log may be shown. `confirm` returns once all that is seen is durable."""

    def __init__(self, confirm: Callable[[], Awaitable[None]] = _confirm_nothing):
        self.confirm = confirm
        self._confirming = Batcher(self._confirm_all)
        self._since: float | None = None
        """Since when a confirmation has been waited for."""
        self._position: int | None = None
        """The last position that may be shown; None before anything is known of it."""
        self.synchronous = False
        """Whether commits wait for standbys, as the database last said."""
        self._shown = LogEnd()
        self._last_event: RecordedEvent | None = None
        """The last event that was read; it is hashed when that is asked for."""
        self._former_since: float | None = None
        """Since when new connections have led to a former primary."""
        self.set_back: str | None = None
        """What was shown and is not there any more, where the log was set back."""
        self.noticed = asyncio.Event()
        """Set when the log was set back."""

    async def head(self, connection: Connection) -> int:
        """The last position that may be shown, of a log as a connection sees it; 0 where there is
        none. Raises UnconfirmedCommit, LogSetBack and FormerPrimary."""
        shown = self._position or 0
        row = await connection.fetchrow(SQL.head)
        assert row is not None
        if row["position"] < shown:
            await self.check(connection)
        self.synchronous = row["synchronous"]
        return await self.release(row["position"])

    async def release(self, seen: int) -> int:
        """How far a log may be shown that we see up to a position: that far, or less while no standby
        confirms. Raises UnconfirmedCommit before anything has been confirmed, and LogSetBack."""
        self.require_continuity()
        if not self.synchronous:
            self.note_durable(seen)  # nothing that was shown is taken back when there are standbys
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
                raise UnconfirmedCommit("no synchronous standby confirms what is seen") from error
            return min(seen, self._position)

    async def release_events(self, events: list[RecordedEvent]) -> list[RecordedEvent]:
        """Those of some events, in order, that may be shown. Raises like `release`."""
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
        """All up to a position is durable, as after an append that was confirmed."""
        if self._position is None or position > self._position:
            self._position = position

    def note_appended(self, position: int, event_id: str) -> None:
        """The same, and which event is there."""
        self.note_durable(position)
        if position > self._shown.appended_at:
            self._shown = self._shown._replace(appended_at=position, event_id=event_id)

    def require_continuity(self) -> None:
        """Raise LogSetBack where the log was set back."""
        if self.set_back:
            raise LogSetBack(self.set_back)

    async def check(self, connection: Connection) -> None:
        """Look whether a connection has what was shown: of every new one, before it is used.

        Raises LogSetBack, from now on, and FormerPrimary.
        """
        self.require_continuity()
        shown = self._shown = self._present()
        asked = shown.entry_at, shown.appended_at, shown.position
        row = await connection.fetchrow(SQL.look, *asked, timeout=CHECK_TIMEOUT_SECONDS)
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
                raise FormerPrimary(f"a former primary answers: {difference}")
        self._note_set_back(difference)

    def _present(self) -> LogEnd:
        """What has been shown until now."""
        shown, event = self._shown._replace(position=self._position or 0), self._last_event
        if event is not None and event.position > shown.entry_at:
            shown = shown._replace(entry_at=event.position, entry_hash=leaf_hash(event.entry))
        return shown

    def _learn(self, learned: LogEnd) -> None:
        """Take over what a look found; more may have been shown since it began."""
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
        """Confirm all that was seen when this began."""
        self._since = time.monotonic()
        try:
            await self.confirm()
        except Exception as error:
            logger.warning("what was recorded is not shown: no standby confirms it (%s)", error)
            return [error] * len(positions)
        finally:
            self._since = None
        self.note_durable(max(positions))
        return positions


async def head(connection: Connection) -> int:
    """The last position that a connection sees, durable or not; 0 when nothing is recorded."""
    return int(await connection.fetchval(SQL.head))
