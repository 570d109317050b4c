"""The entries of a log, each read and held against those before it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tracker.audit.verify.stream_order import StreamOrderChecker
from tracker.errors import Rejected
from tracker.log.entries import MAX_VERSION, RecordedEvent, recorded


class EntryChecker:
    """Checks entries in the order of positions: that they are events, of their positions, and none was
    recorded before the one before it. `whole` is False where the beginning of the log is not looked at.
    """

    def __init__(self, *, whole: bool) -> None:
        self.recorded_at: datetime | None = None
        """When the last event that was looked at was recorded."""
        self.stream_order = StreamOrderChecker(whole=whole)
        """What can be told of versions and ids only at the end."""

    def check(self, entry: bytes, position: int) -> RecordedEvent:
        """The event of the next entry. Raises Rejected: NOT_AN_EVENT, WRONG_VERSION, WRONG_POSITION or
        WRONG_TIME."""
        try:
            event = recorded(entry)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise Rejected(
                "NOT_AN_EVENT", f"the entry is no event: {error}", _at(position)
            ) from None
        if event.recorded_at.tzinfo is None:
            raise Rejected("NOT_AN_EVENT", "its time has no time zone", _at(position))
        if not 0 < event.version <= MAX_VERSION:
            raise Rejected("WRONG_VERSION", f"its version is {event.version}", _at(position))
        if event.position != position:
            raise Rejected(
                "WRONG_POSITION", f"the entry says that it is at {event.position}", _at(position)
            )
        if self.recorded_at is not None and event.recorded_at < self.recorded_at:
            raise Rejected(
                "WRONG_TIME",
                f"it was recorded at {event.recorded_at}, before"
                f" {self.recorded_at} of the one before",
                _at(position),
            )
        self.recorded_at = event.recorded_at
        self.stream_order.add(event)
        return event


def _at(position: int) -> range:
    return range(position, position + 1)
