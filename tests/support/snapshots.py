"""Snapshots for tests: stored by the watcher, named by events, and redacted."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from deploy.bootstrap import open_connection, open_pool
from tests.support.fact_builders import announced, source
from tests.support.tampered_logs import stamp
from tracker.domain.basics.codec import from_builtins
from tracker.domain.entities.entity import Entity
from tracker.domain.entities.fact import Fact
from tracker.domain.evidence.watched_source_facts import (
    Failed,
    Fetched,
    SnapshotRedacted,
    SourceFact,
    Unchanged,
    Watched,
)
from tracker.log.append import AppendResult, append
from tracker.log.entries import new_event
from tracker.postgres.database import API, WATCHER, Target
from tracker.snapshots.store import SnapshotStore


async def keep(target: Target, content: bytes, media_type: str | None = None) -> str:
    """Store bytes in the database and return their SHA-256."""
    async with open_pool(target, role=WATCHER, size=1) as pool:
        return await SnapshotStore(pool).put(content, media_type)


async def redact(target: Target, sha256: str, event_id: str = "gone") -> int:
    """Record the redaction of a snapshot, and return the position of the event."""
    async with open_connection(target, role=API) as connection:
        count = await connection.fetchval(
            "SELECT count(*) FROM log.events WHERE stream = 'source/a'"
        )
        event = Entity.Event(
            originator_id="source/a",
            originator_version=count + 1,
            timestamp=datetime(2026, 3, 1, tzinfo=UTC),
            event_id=event_id,
            fact=redaction_of(sha256),
        )
        [appended] = await append(connection, [[new_event(event, None)]])
    assert isinstance(appended, AppendResult)
    return appended.positions[0]


def digest(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


REQUEST = {
    "source": source("list"),
    "on": "2026-03-01",
    "look": 1,
    "at": "2026-03-01T10:00:00Z",
    "address": "https://list.example/acts",
    "status": 200,
}

WATCHED = from_builtins(
    Watched,
    {
        "source": source("list"),
        "on": "2026-01-01",
        "name": "A list",
        "adapter": "page",
        "address": "https://list.example/acts",
        "everyHours": 24,
    },
)


def fetched(content: bytes, **more: Any) -> Fact:
    """Return the fact of a fetch."""
    said = {"sha256": digest(content), "size": len(content), "mediaType": "text/html"}
    return from_builtins(Fetched, REQUEST | said | more)


def unchanged(content: bytes) -> Fact:
    """Return the fact of an unchanged fetch."""
    return from_builtins(Unchanged, REQUEST | {"sha256": digest(content)})


def failed(content: bytes) -> Fact:
    """Return the fact of a fetch that could not be parsed."""
    said = {"code": "LAYOUT_CHANGED", "reason": "expected a list", "sha256": digest(content)}
    return from_builtins(Failed, REQUEST | said)


def redacted(content: bytes) -> Fact:
    """Return the fact of a redaction."""
    return redaction_of(digest(content))


def redaction_of(sha256: str) -> Fact:
    """Return the redaction of a hash."""
    said = {"sha256": sha256, "reason": "a court said so", "by": "dpo"}
    return from_builtins(SnapshotRedacted, {"source": source("court"), "on": "2026-03-02"} | said)


def read_from(content: bytes) -> Fact:
    """Return an act that was read in bytes."""
    return announced(source={**source("list"), "snapshot": digest(content)})


def entries_of(facts: Sequence[Fact]) -> list[bytes]:
    """Return the entries of facts, recorded a second apart: acts of separate entities, others of one
    source."""
    entries, version = list[bytes](), 0
    for position, fact in enumerate(facts, 1):
        act = not isinstance(fact, SourceFact)
        version += not act
        new = new_event(
            Entity.Event(
                originator_id=f"export-control/a{position}" if act else "source/a",
                originator_version=1 if act else version,
                timestamp=datetime(2026, 3, 1, tzinfo=UTC),
                event_id=f"e{position}",
                fact=fact,
            ),
            None,
        )
        entries.append(
            b'{"specversion":"1.0","position":"%d","time":"%b",%b,"data":%b}'
            % (position, stamp(position), new.attributes.encode(), new.data)
        )
    return entries
