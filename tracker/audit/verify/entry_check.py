"""Check of the entries of a log, each against the previous ones."""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from struct import Struct

import msgspec

from tracker.errors import Rejected
from tracker.log.entries import MAX_VERSION, RecordedEvent, recorded

BUCKET_COUNT = 256
MAX_BUCKET_BYTES = 64 * 1024
"""Bytes of a bucket kept in memory before they are written to disk."""
RECORD = Struct(">16sIQ")
"""A hash of a stream or id; the version, 0 for an id; the position."""


class StreamOrderChecker:
    """Records every event in order.

    `whole` is False if the beginning of the log is not checked: the first version of a stream may then be
    any.
    """

    def __init__(self, *, whole: bool = True) -> None:
        self._whole = whole
        self._held = [bytearray() for _ in range(BUCKET_COUNT)]
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    def add(self, event: RecordedEvent) -> None:
        """Add the next event."""
        self._add_record(b"s" + event.stream.encode(), event.version, event.position)
        self._add_record(b"i" + event.event_id.encode(), 0, event.position)

    def first_fault(self, until: int) -> Rejected | None:
        """Return the first wrong version or repeated id up to a position; None if there is none."""
        faults = [
            fault
            for number in range(BUCKET_COUNT)
            if (fault := self._fault(number)) is not None and fault[0] <= until
        ]
        if not faults:
            return None
        position, code, message = min(faults)
        return Rejected(code, message, range(position, position + 1))

    def close(self) -> None:
        """Remove the files on disk."""
        if self._directory is not None:
            self._directory.cleanup()

    def _add_record(self, name: bytes, number: int, position: int) -> None:
        key = sha256(name).digest()[:16]
        held = self._held[key[0]]
        held += RECORD.pack(key, number, position)
        if len(held) >= MAX_BUCKET_BYTES:
            with self._path(key[0]).open("ab") as file:
                file.write(held)
            held.clear()

    def _fault(self, number: int) -> tuple[int, str, str] | None:
        """Return the first fault in a bucket. Its records are in the order of positions."""
        last = dict[bytes, int]()
        for key, version, position in self._records(number):
            before = last.get(key)
            last[key] = version
            if not version:
                if before is not None:
                    return position, "REPEATED_EVENT_ID", "its event id was used before"
            elif version != (before or 0) + 1 and (before is not None or self._whole):
                return (
                    position,
                    "WRONG_VERSION",
                    f"version {version} of its stream follows version {before or 0}",
                )
        return None

    def _records(self, number: int) -> Iterator[tuple[bytes, int, int]]:
        path = self._path(number) if self._directory is not None else None
        stored = path.read_bytes() if path is not None and path.exists() else b""
        return RECORD.iter_unpack(stored + self._held[number])

    def _path(self, number: int) -> Path:
        if self._directory is None:
            self._directory = tempfile.TemporaryDirectory(prefix="tracker-")
        return Path(self._directory.name) / f"{number:02x}"


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
