"""What happens to a watched source: it is watched or no longer, and what came of each look and request."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

import msgspec

from tracker.domain.values import Actor, Fact, Name, PartialDate, Sha256, check_reason
from tracker.domain.vocabulary import FetchFailure
from tracker.domain.wording import check_address
from tracker.errors import InvalidInput

MAX_WARNINGS = 20
"""The most warnings that one look may leave."""
REDACTED_SNAPSHOT_TYPE = "Source.SnapshotRedacted"
Address = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
"""An address of the web, with all that it asks for."""
Count = Annotated[int, msgspec.Meta(ge=0)]
LookNumber = Annotated[int, msgspec.Meta(ge=1)]
"""The number of a look at one source: 1, 2, 3, …"""
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time in UTC, up to microseconds."""
Status = Annotated[int, msgspec.Meta(ge=100, le=599)]
"""A status code of HTTP."""


class SourceFact(Fact, frozen=True, kw_only=True):
    """A fact about a watched source, of a day (UTC)."""

    on: PartialDate

    @property
    def public_on(self) -> date:
        """The day on which it happened."""
        return self.on.first


class Watched(SourceFact, frozen=True, kw_only=True):
    """A source is watched from now on, or from now on otherwise.

    `adapter` knows how its lists are read, `issuers` are those whose acts it has, `covers` says in
    words what it lists. It is looked through every so many hours.
    """

    name: Name
    adapter: Name
    address: Address
    issuers: tuple[Actor, ...] = ()
    every_hours: Annotated[float, msgspec.Meta(gt=0, le=8784)]
    covers: Name | None = None

    def check_recordable(self) -> None:
        """Its address is one of the web. Raises InvalidInput."""
        check_address(self.address, "address")


class Unwatched(SourceFact, frozen=True, kw_only=True):
    """A source is looked at no more."""

    reason: Name

    def __post_init__(self) -> None:
        check_reason(self.reason)


class LookFact(SourceFact, frozen=True, kw_only=True):
    """What happened at a time during a look; `on` is the day of that time."""

    look: LookNumber
    at: Instant

    def __post_init__(self) -> None:
        check_utc(self.at, "at")
        if self.on != self.at.date().isoformat():
            raise InvalidInput(
                f"{self.on} is not the day of {self.at.isoformat()}: expected {self.at.date()}",
                code="INVALID_DATE",
                path=("on",),
            )


class FetchFact(LookFact, frozen=True, kw_only=True):
    """What came of one request to an address."""

    address: Address

    def check_recordable(self) -> None:
        """Its address is one of the web. Raises InvalidInput."""
        check_address(self.address, "address")


class Fetched(FetchFact, frozen=True, kw_only=True):
    """Something new came, which is kept as a snapshot by its SHA-256.

    `moved_to` is where it came from in the end, if not from `address`.
    """

    status: Status
    sha256: Sha256
    size: Count
    media_type: Name | None = None
    moved_to: Address | None = None


class Unchanged(FetchFact, frozen=True, kw_only=True):
    """The same came as last time, or the publisher said that it is the same (304)."""

    status: Status
    sha256: Sha256


class Failed(FetchFact, frozen=True, kw_only=True):
    """Nothing came that can be used: `code` says why to programs, `reason` to people.

    `status` is None where there was no answer. `sha256` is that of what came all the same.
    """

    code: FetchFailure
    reason: Name
    status: Status | None = None
    sha256: Sha256 | None = None


class Looked(LookFact, frozen=True, kw_only=True):
    """A look has ended: how many requests it took, how many of their answers were new, and how many
    candidates were found.

    `complete` says that everything of the list was read; then all that the publisher had announced up to
    `covers_until` was seen, where that can be said.
    """

    started_at: Instant
    """The time at which it began."""
    requests: Count
    """The number of its requests."""
    snapshots: Count = 0
    """The number of responses that were new."""
    candidates: Count = 0
    """The number of new candidates."""
    complete: bool
    """Whether everything of the list was read."""
    covers_until: date | None = None
    """The day up to which all that the publisher had announced was seen; null where that can't be
    said."""
    warnings: Annotated[tuple[Name, ...], msgspec.Meta(max_length=MAX_WARNINGS)] = ()
    """Oddities that are no failures, at most 20."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_utc(self.started_at, "startedAt")
        if self.started_at > self.at:
            raise InvalidInput(
                f"expected a look to end after {self.started_at.isoformat()}, when it began",
                code="END_BEFORE_START",
                path=("at",),
            )


class SnapshotRedacted(SourceFact, frozen=True, kw_only=True):
    """The bytes of a snapshot are gone: the log removes them in the transaction that records this.

    `reason` says no more of them than may stay.
    """

    sha256: Sha256
    reason: Name
    by: Name | None = None

    def __post_init__(self) -> None:
        check_reason(self.reason)


def check_utc(at: datetime, field: str) -> None:
    """Refuse a time that is not in UTC. Raises InvalidInput at `field`."""
    if at.utcoffset() != timedelta():
        raise InvalidInput(
            f"{at.isoformat()}: expected a time in UTC", code="INVALID_TIME", path=(field,)
        )
