"""Watched sources: lists of publishers that are polled, and every fetch of them.

All actions of the watcher are recorded, including polls without results. A poll reads a source once; a fetch
is one of its requests. The facts of a source are grouped by poll. Its state is derived from ended polls, so
thousands of fetches do not enlarge it.
"""

import re
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from tracker.domain.basics.values import PartialDate, Value
from tracker.domain.basics.vocabulary import FetchFailure
from tracker.domain.catalogue.places import Actor
from tracker.domain.entities.elements import Element
from tracker.domain.entities.entity import (
    Entity,
    Evidence,
    Fold,
    RecordedFact,
    Retracted,
    StateWithEvidence,
    because,
)
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.fold import shared_fields
from tracker.domain.evidence.watched_source_facts import (
    REDACTED_SNAPSHOT_TYPE,
    Failed,
    Fetched,
    Instant,
    Looked,
    SnapshotRedacted,
    Unchanged,
    Unwatched,
    Watched,
)
from tracker.errors import InvalidInput

KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
"""Pattern of the key after `source/` in the name of a watched source."""


class Failure(Value, frozen=True, kw_only=True):
    """A request that failed."""

    look: int
    """The number of its poll."""
    at: Instant
    """The time at which it failed."""
    address: str
    """The requested address."""
    code: FetchFailure
    """The reason, for programs."""
    reason: str
    """The reason, in one line."""
    status: int | None = None
    """The status of the response; null if there was none."""


class WatchedSourceState(StateWithEvidence, frozen=True, kw_only=True):
    """A watched source on a day, as of its last ended poll."""

    name: str
    """Its name."""
    publisher: str
    """The short id of its publisher, such as `federal_register`."""
    adapter: str
    """The adapter that reads its lists, such as `feed`."""
    address: str
    """Its web address."""
    every_hours: float
    """The hours from one poll to the next."""
    watched_since: PartialDate
    """The day from which it has been watched."""
    issuers: tuple[Actor, ...] = ()
    """The issuers whose acts it lists."""
    covers: str | None = None
    """The content of its list, in words; null if not recorded."""
    unwatched_on: PartialDate | None = None
    """The day from which it is no longer watched; null while it is."""
    unwatched_because: str | None = None
    """The reason why it is no longer watched; null while it is."""
    looks: int = 0
    last_look: int = 0
    """The number of the last poll that has ended; 0 before the first."""
    last_ended_at: datetime | None = None
    """The end of the last poll, whatever its result; null before the first."""
    last_looked_at: datetime | None = None
    """The end of the last complete poll; null if there was none."""
    covers_until: date | None = None
    """The day up to which the list is complete; null if it cannot be determined."""
    last_fetched_at: datetime | None = None
    """The time of the last successful fetch; null if there was none."""
    last_changed_at: datetime | None = None
    """The time of the last fetch with new content; null if there was none."""
    failing_since: datetime | None = None
    """The end of the first incomplete poll since the last complete one; null if the last poll was
    complete."""
    last_failure: Failure | None = None
    """The last request that failed; null if none did. Its poll may have been complete nevertheless: see
    `failingSince`."""
    warnings: tuple[str, ...] = ()
    """Warnings of the last poll, at most 20."""
    requests: int = 0
    snapshots: int = 0
    candidates: int = 0
    last_proposed_at: datetime | None = None
    """The end of the last poll that proposed facts."""

    @property
    def is_watched(self) -> bool:
        """Whether it is still polled."""
        return self.unwatched_on is None

    @property
    def next_look_expected_at(self) -> datetime | None:
        """The time at which its next poll is due by its schedule. After it, responses about its issuers
        are older than they should be. Null if it is not watched, or was never polled."""
        if not self.is_watched or self.last_looked_at is None:
            return None
        return self.last_looked_at + timedelta(hours=self.every_hours)


class WatchedSourceFold(Fold[WatchedSourceState]):
    """The state of a watched source from its facts. It cites only the facts that determine it."""

    __slots__ = (
        "candidates",
        "changed",
        "complete",
        "failed",
        "failing",
        "fetched",
        "first",
        "last_poll_fact",
        "looks",
        "pending_changed",
        "pending_failed",
        "pending_fetched",
        "proposed",
        "requests",
        "settings",
        "snapshots",
        "unwatched",
    )
    NEEDS_OPENING = True

    def __init__(self) -> None:
        self.first: RecordedFact | None = None
        self.settings: RecordedFact | None = None
        self.unwatched: RecordedFact | None = None
        self.last_poll_fact: RecordedFact | None = None
        """The end of the last poll."""
        self.complete: RecordedFact | None = None
        """The end of the last complete poll."""
        self.failing: RecordedFact | None = None
        """The end of the first incomplete poll after it."""
        self.fetched: datetime | None = None
        self.changed: datetime | None = None
        self.failed: RecordedFact | None = None
        self.proposed: RecordedFact | None = None
        """The end of the last poll that proposed facts."""
        # additions of polls that have not ended
        self.pending_fetched: datetime | None = None
        self.pending_changed: datetime | None = None
        self.pending_failed: RecordedFact | None = None
        self.looks = self.requests = self.snapshots = self.candidates = 0

    @classmethod
    def elements_of(cls, known: RecordedFact, place: str, replaced: date | None) -> list[Element]:
        """Return no elements: there are no long lists."""
        return []

    def take(self, known: RecordedFact) -> None:
        """Apply a fact; facts dated before the source was watched are ignored."""
        match known.fact:
            case Watched():
                self.first = self.first or known
                self.settings = known
                if self.unwatched and _is_behind(known, self.unwatched):
                    self.unwatched = None
            case _ if self.settings is None:
                return
            case Unwatched():
                self.unwatched = None if _is_behind(self.settings, known) else known
            case Fetched(at=at):
                self.pending_fetched = self.pending_changed = at
            case Unchanged(at=at):
                self.pending_fetched = at
            case Failed():
                self.pending_failed = known
            case Looked() as look:
                self._end_poll(known, look)

    def _end_poll(self, known: RecordedFact, poll: Looked) -> None:
        self.fetched = self.pending_fetched or self.fetched
        self.changed = self.pending_changed or self.changed
        self.failed = self.pending_failed or self.failed
        self.looks += 1
        self.requests += poll.requests
        self.snapshots += poll.snapshots
        self.candidates += poll.candidates
        self.last_poll_fact = known
        if poll.candidates:
            self.proposed = known
        if poll.complete:
            self.complete, self.failing = known, None
        else:
            self.failing = self.failing or known

    def state(self, id: str, day: date) -> WatchedSourceState | None:
        """Return the source as polled by `day`."""
        first, settings = self.first, self.settings
        if first is None or settings is None:
            return None
        watched: Any = settings.fact
        last_poll_fact, complete, failing, proposed = map(
            _poll_of, (self.last_poll_fact, self.complete, self.failing, self.proposed)
        )
        unwatched = self.unwatched.fact if self.unwatched else None
        return WatchedSourceState(
            **shared_fields(watched, WatchedSourceState),
            id=id,
            because=self._because(),
            publisher=watched.source.publisher,
            watched_since=first.fact.on,  # type: ignore[attr-defined]  # it is Watched
            unwatched_on=unwatched.on if isinstance(unwatched, Unwatched) else None,
            unwatched_because=unwatched.reason if isinstance(unwatched, Unwatched) else None,
            looks=self.looks,
            last_look=last_poll_fact.look if last_poll_fact else 0,
            last_ended_at=last_poll_fact.at if last_poll_fact else None,
            last_looked_at=complete.at if complete else None,
            covers_until=complete.covers_until if complete else None,
            last_fetched_at=self.fetched,
            last_changed_at=self.changed,
            failing_since=failing.at if failing else None,
            last_failure=_failure(self.failed),
            warnings=last_poll_fact.warnings if last_poll_fact else (),
            requests=self.requests,
            snapshots=self.snapshots,
            candidates=self.candidates,
            last_proposed_at=proposed.at if proposed else None,
        )

    def _because(self) -> tuple[Evidence, ...]:
        behind = (
            *(self.first, self.settings, self.unwatched),
            *(self.complete, self.failing, self.last_poll_fact, self.failed, self.proposed),
        )
        return because({known.event_id: known for known in behind if known}.values())


def _is_behind(one: RecordedFact, other: RecordedFact) -> bool:
    """Return whether a fact comes after another; openings of a day are sorted before its other facts."""
    days = one.fact.public_on, other.fact.public_on
    if days[0] != days[1]:
        return days[0] > days[1]
    return (one.position or _LAST) > (other.position or _LAST)


_LAST = 2**63
"""Position of a fact that is decided and not yet in the log."""


def _poll_of(known: RecordedFact | None) -> Looked | None:
    return known.fact if known and isinstance(known.fact, Looked) else None


def _failure(known: RecordedFact | None) -> Failure | None:
    if known is None or not isinstance(known.fact, Failed):
        return None
    fact = known.fact
    return Failure(**shared_fields(fact, Failure))


class WatchedSource(Entity):
    """One source that is watched."""

    KIND: ClassVar[str] = "source"
    INITIAL_FACT: ClassVar[type[Fact]] = Watched
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "Source.Watched": Watched,
        "Source.Unwatched": Unwatched,
        "Source.Fetched": Fetched,
        "Source.Unchanged": Unchanged,
        "Source.Failed": Failed,
        "Source.Looked": Looked,
        REDACTED_SNAPSHOT_TYPE: SnapshotRedacted,
    }
    FOLD = WatchedSourceFold
    RECENT_EVENTS: ClassVar[int | None] = 256
    EARLIER_TYPES: ClassVar[tuple[str, ...]] = (
        "Source.Watched",
        "Source.Unwatched",
        REDACTED_SNAPSHOT_TYPE,
    )
    LAST_TYPES: ClassVar[tuple[str, ...]] = ("Source.Looked",)

    @classmethod
    def type_of(cls, fact: Fact) -> str:
        """Return the event type. Raises InvalidInput for a retraction: a fetch cannot be undone."""
        if isinstance(fact, Retracted):
            raise InvalidInput(
                "expected another event: records of a watched source cannot be retracted",
                code="FETCH_STAYS",
                path=("eventId",),
            )
        return super().type_of(fact)

    def check(self, fact: Fact) -> None:
        """Check that polls end in order, that only a watched source is unwatched, and that a snapshot is
        redacted once.

        The log checks that the source has the snapshot, because its fetches may be many.
        """
        match fact:
            case Watched():
                if not KEY.fullmatch(key := self.id.partition("/")[2]):
                    raise InvalidInput(
                        f"{key!r}: expected small letters and digits with single '-' between",
                        code="INVALID_ID",
                        path=("id",),
                    )
            case Unwatched():
                if self._fold().unwatched:
                    raise InvalidInput(
                        f"{self.id} is not watched: expected a source that is",
                        code="NOT_WATCHED",
                        path=("id",),
                    )
            case Looked():
                self._check_poll(fact)
            case SnapshotRedacted():
                self._check_redaction(fact)

    def _check_poll(self, fact: Looked) -> None:
        ended = _poll_of(self._fold().last_poll_fact)
        if ended and fact.look <= ended.look:
            raise InvalidInput(
                f"poll {ended.look} of {self.id} has ended: expected a later one",
                code="LOOK_ENDED",
                path=("look",),
            )

    def _check_redaction(self, fact: SnapshotRedacted) -> None:
        facts = (known.fact for known in self.known)
        if any(isinstance(f, SnapshotRedacted) and f.sha256 == fact.sha256 for f in facts):
            raise InvalidInput(
                f"the snapshot {fact.sha256} is redacted already",
                code="ALREADY_REDACTED",
                path=("sha256",),
            )
