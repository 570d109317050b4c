"""Check of the snapshots of a log during the verification of its events.

Only the events are signed: they name bytes by their SHA-256 and length. Missing bytes are explained only by
an event of the log that redacts them, before or after the one that names them.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TypeAlias

from tracker.errors import Rejected, Unavailable
from tracker.log.entries import RecordedEvent
from tracker.snapshots.named import NamedSnapshot, named_snapshots, redacted_snapshot

ReadSnapshot: TypeAlias = Callable[[str], Iterator[bytes] | None]
"""Returns the bytes of a snapshot in pieces, by its SHA-256; None if there is none."""


class SnapshotChecker:
    """Checks every snapshot that the events from a position on name, each once.

    It keeps the hashes of all of them, about 150 bytes each, but not their bytes.
    """

    def __init__(self, read: ReadSnapshot, first: int, *, allow_missing: bool = False):
        self.redacted = 0
        """Number of snapshots that the log redacts."""
        self._read = read
        self._first = first
        self._sizes = dict[bytes, int]()
        self._missing = dict[str, int]()
        self.gone = set[str]()
        """Snapshots redacted by the events so far."""
        self.allow_missing = allow_missing

    @property
    def intact(self) -> int:
        """Number of snapshots with the fetched bytes."""
        return len(self._sizes)

    @property
    def missing(self) -> Collection[str]:
        """Missing snapshots that no event so far redacts."""
        return self._missing.keys()

    def check(self, events: Sequence[RecordedEvent]) -> None:
        """Check the snapshots that the next events name. Raises Rejected (ALTERED_SNAPSHOT)."""
        for event in events:
            if event.position >= self._first:
                for named in named_snapshots(event.fact):
                    self._check(named, event.position)
            if gone := redacted_snapshot(event.fact):
                self.explain([gone])

    def explain(self, redacted: Iterable[str]) -> None:
        """Add snapshots that the log redacts."""
        for sha256 in redacted:
            self.gone.add(sha256)
            if self._missing.pop(sha256, None) is not None:
                self.redacted += 1

    def end(self, unsigned: Collection[str] = ()) -> None:
        """Complete the check after all events.

        `unsigned` are the missing snapshots redacted by events that are not signed yet. Unless missing ones
        are allowed, raises Rejected (MISSING_SNAPSHOT) for others, and Unavailable (REDACTED) for these.
        """
        if self.allow_missing:
            return
        missing = [one for one in self._missing.items() if one[0] not in unsigned]
        if missing:
            (sha256, position), *others = missing
            also = f", nor are {len(others):,} others" if others else ""
            raise Rejected(
                "MISSING_SNAPSHOT",
                f"snapshot {sha256} is not there{also}, and no signed event redacts it. Of a bundle: export"
                " it again, or take what there is with --allow-missing-snapshots",
                range(position, position + 1),
            )
        for sha256 in self._missing:
            raise Unavailable(
                f"snapshot {sha256} was redacted meanwhile, by an event that is not signed yet: verify again"
                " in a moment",
                code="REDACTED",
            )

    def _check(self, named: NamedSnapshot, position: int) -> None:
        sha256, digest = named.sha256, bytes.fromhex(named.sha256)
        if digest not in self._sizes:
            if sha256 in self._missing or sha256 in self.gone:
                return
            chunks = self._read(sha256)
            if chunks is None:
                self._missing[sha256] = position
                return
            self._sizes[digest] = _size_of(chunks, sha256, position)
        size = self._sizes[digest]
        if named.size not in (None, size):
            raise _altered_error(
                f"has {size:,} bytes: the event says {named.size:,}", sha256, position
            )


def _size_of(chunks: Iterable[bytes], sha256: str, position: int) -> int:
    """Return the size of a snapshot. Raises Rejected if it does not have its hash."""
    hashed, size = hashlib.sha256(), 0
    for chunk in chunks:
        hashed.update(chunk)
        size += len(chunk)
    if hashed.hexdigest() != sha256:
        raise _altered_error("is not what was fetched", sha256, position)
    return size


def _altered_error(how: str, sha256: str, position: int) -> Rejected:
    return Rejected("ALTERED_SNAPSHOT", f"snapshot {sha256} {how}", range(position, position + 1))
