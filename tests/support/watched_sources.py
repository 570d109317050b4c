"""Short builders of facts about a watched source."""

from typing import Any

from schema.services import Services
from tests.support.fact_builders import source
from tracker.domain.basics.codec import from_builtins
from tracker.domain.entities.fact import Fact
from tracker.domain.evidence.watched_source_facts import (
    Failed,
    Fetched,
    Looked,
    SnapshotRedacted,
    Unchanged,
    Unwatched,
    Watched,
)

LIST = "https://www.federalregister.gov/api/v1/documents.json"
ONE, OTHER = "1" * 64, "a" * 64
NOON = "2026-11-01T12:00:00.000001Z"


def fact_of_source(kind: type[Any], at: str, **fields: Any) -> Any:
    """Return a fact about the source at a time, or on a day."""
    day = at[:10]
    timed = {"at": at, "look": 1} if kind not in (Watched, Unwatched, SnapshotRedacted) else {}
    return from_builtins(kind, {"on": day, "source": source("gvw", day), **timed, **fields})


def watched(at: str = "2026-11-01", **more: Any) -> Watched:
    """Return the Federal Register, polled twice a day."""
    fields = {"name": "Federal Register", "adapter": "federal-register", "address": LIST}
    found: Watched = fact_of_source(
        Watched, at, **{**fields, "issuers": ["US"], "everyHours": 12, **more}
    )
    return found


def fetched(at: str = NOON, **more: Any) -> Fetched:
    """Return a fetch with new content."""
    found: Fetched = fact_of_source(
        Fetched, at, **{"address": LIST, "status": 200, "sha256": ONE, "size": 12345, **more}
    )
    return found


def unchanged(at: str = NOON, **more: Any) -> Unchanged:
    """Return a fetch without new content."""
    found: Unchanged = fact_of_source(Unchanged, at, address=LIST, status=304, sha256=ONE, **more)
    return found


def failed(at: str = NOON, **more: Any) -> Failed:
    """Return a failed fetch."""
    fields = {"address": LIST, "code": "TIMEOUT", "reason": "no answer in 30 seconds"}
    found: Failed = fact_of_source(Failed, at, **{**fields, **more})
    return found


def looked(at: str = NOON, *, complete: bool = True, **more: Any) -> Looked:
    """Return the end of a poll."""
    fields = {"startedAt": at, "requests": 1, "complete": complete}
    found: Looked = fact_of_source(Looked, at, **{**fields, **more})
    return found


async def record(services: Services, *facts: Fact, key: str = "us-federal-register") -> int:
    """Record facts about a source like the watcher, wait until they are readable, and return the last
    position."""
    position = 0
    for fact in facts:
        written = await services.commands.record(f"source/{key}", fact)
        position = written.positions[-1]
    await services.projector.reach(position)
    return position
