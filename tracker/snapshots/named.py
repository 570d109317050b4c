"""Snapshots that events name, and those that they redact. Pure."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tracker.domain.controls.text import Recorded
from tracker.domain.entities.fact import Fact
from tracker.domain.evidence.watched_source_facts import (
    Failed,
    Fetched,
    SnapshotRedacted,
    Unchanged,
)
from tracker.log.entries import RecordedEvent


class NamedSnapshot(NamedTuple):
    """A snapshot as named by an event, with `size` in bytes and `media_type` if the event has them."""

    sha256: str
    size: int | None = None
    media_type: str | None = None


def named_snapshots(fact: Fact) -> Iterator[NamedSnapshot]:
    """Return the snapshots that a fact fetched or was read from."""
    match fact:
        case Fetched():
            yield NamedSnapshot(fact.sha256, fact.size, fact.media_type)
        case Recorded():
            yield NamedSnapshot(fact.sha256, fact.size)
        case Unchanged() | Failed() if fact.sha256:
            yield NamedSnapshot(fact.sha256)
    if fact.source.snapshot:
        yield NamedSnapshot(fact.source.snapshot)


def add_named(
    named: dict[str, NamedSnapshot], events: Iterable[RecordedEvent], after: int = 0
) -> None:
    """Add the snapshots that events after a position name, by SHA-256, with the data of the first of these
    events."""
    for event in events:
        if event.position > after:
            for one in named_snapshots(event.fact):
                named.setdefault(one.sha256, one)


def redacted_snapshot(fact: Fact) -> str | None:
    """Return the SHA-256 of the snapshot that a fact redacts; None for any other fact."""
    return fact.sha256 if isinstance(fact, SnapshotRedacted) else None
