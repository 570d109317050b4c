"""Check of the entries of a log, each against the previous ones."""

from datetime import datetime

import msgspec

from tracker.audit.verify.stream_order import StreamOrderChecker
from tracker.errors import Rejected
from tracker.log.entries import MAX_VERSION, RecordedEvent, recorded


class EntryChecker:
    """Checks entries in order: they are events with correct positions, in the order of recording times.

    `whole` is False if the beginning of the log is not checked.
    """

    def __init__(self, *, whole: bool) -> None:
        self.recorded_at: datetime | None = None
        """Recording time of the last checked event."""
        self.stream_order = StreamOrderChecker(whole=whole)
        """Checks of versions and ids, which have a result only at the end."""

    def check(self, entry: bytes, position: int) -> RecordedEvent:
        """Return the event of the next entry.

        Raises Rejected: NOT_AN_EVENT, WRONG_VERSION, WRONG_POSITION or WRONG_TIME.
        """
        try:
            event = recorded(entry)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise Rejected(
                "NOT_AN_EVENT", f"the entry is not an event: {error}", _at(position)
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
