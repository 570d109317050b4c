"""Check that versions of every stream are consecutive and event ids unique, in a log of any length.

The compared events are far apart, and a log has more streams than fit in memory. So each event adds two short
records, sorted by a hash into 256 buckets, which are written to disk when they grow. At the end the buckets
are checked one by one. That needs 56 bytes of disk per event, and memory for a 256th of that.
"""

import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from struct import Struct

from tracker.errors import Rejected
from tracker.log.entries import RecordedEvent

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
