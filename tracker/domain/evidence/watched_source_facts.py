"""Facts about a watched source: start and end of watching, and the result of each poll and request."""

from datetime import date, datetime, timedelta
from typing import Annotated

import msgspec

from tracker.domain.basics.text_rules import check_address
from tracker.domain.basics.values import Name, Sha256, check_reason
from tracker.domain.basics.vocabulary import FetchFailure
from tracker.domain.catalogue.places import Actor
from tracker.domain.entities.fact import DatedFact
from tracker.errors import InvalidInput

MAX_WARNINGS = 20
"""Maximum number of warnings of one poll."""
REDACTED_SNAPSHOT_TYPE = "Source.SnapshotRedacted"
Address = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
"""A web address with its query."""
Count = Annotated[int, msgspec.Meta(ge=0)]
PollNumber = Annotated[int, msgspec.Meta(ge=1)]
"""The number of a poll of one source: 1, 2, 3, …"""
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time in UTC, up to microseconds."""
Status = Annotated[int, msgspec.Meta(ge=100, le=599)]
"""An HTTP status code."""


class SourceFact(DatedFact, frozen=True, kw_only=True):
    """A fact about a watched source, of a day (UTC)."""


class Watched(SourceFact, frozen=True, kw_only=True):
    """A source is watched from now on, or its settings have changed.

    `adapter` reads its lists, `issuers` are the issuers of its acts, `covers` is the content of its list in
    words. It is polled every `every_hours` hours.
    """

    name: Name
    adapter: Name
    address: Address
    issuers: tuple[Actor, ...] = ()
    every_hours: Annotated[float, msgspec.Meta(gt=0, le=8784)]
    covers: Name | None = None

    def check_recordable(self) -> None:
        """Check that its address is a web address. Raises InvalidInput."""
        check_address(self.address, "address")


class Unwatched(SourceFact, frozen=True, kw_only=True):
    """A source is no longer watched."""

    reason: Name

    def __post_init__(self) -> None:
        check_reason(self.reason)


class PollFact(SourceFact, frozen=True, kw_only=True):
    """A fact of a poll at a time; `on` is the day of that time."""

    look: PollNumber
    at: Instant

    def __post_init__(self) -> None:
        check_utc(self.at, "at")
        if self.on != self.at.date().isoformat():
            raise InvalidInput(
                f"{self.on} is not the day of {self.at.isoformat()}: expected {self.at.date()}",
                code="INVALID_DATE",
                path=("on",),
            )


class FetchFact(PollFact, frozen=True, kw_only=True):
    """The result of one request to an address."""

    address: Address
    """The requested address."""

    def check_recordable(self) -> None:
        """Check that its address is a web address. Raises InvalidInput."""
        check_address(self.address, "address")


class Fetched(FetchFact, frozen=True, kw_only=True):
    """The response had new content, which is stored as a snapshot by its SHA-256.

    `moved_to` is the address after redirects, if not `address`.
    """

    status: Status
    sha256: Sha256
    size: Count
    media_type: Name | None = None
    moved_to: Address | None = None


class Unchanged(FetchFact, frozen=True, kw_only=True):
    """The response had the same content as last time, or the status 304."""

    status: Status
    sha256: Sha256


class Failed(FetchFact, frozen=True, kw_only=True):
    """The request failed: `code` is the reason for programs, `reason` for people.

    `status` is None if there was no response. `sha256` is the hash of an unusable response.
    """

    code: FetchFailure
    reason: Name
    status: Status | None = None
    sha256: Sha256 | None = None


class Looked(PollFact, frozen=True, kw_only=True):
    """A poll has ended: its number of requests, of new responses and of new candidates.

    `complete` is true if the whole list was read. Then `covers_until` is the day up to which the list is
    complete, if it can be determined.
    """

    started_at: Instant
    """The start of the poll."""
    requests: Count
    """The number of its requests."""
    snapshots: Count = 0
    """The number of responses that were new."""
    candidates: Count = 0
    """The number of new candidates."""
    complete: bool
    """Whether the whole list was read."""
    covers_until: date | None = None
    """The day up to which the list is complete; null if it cannot be determined."""
    warnings: Annotated[tuple[Name, ...], msgspec.Meta(max_length=MAX_WARNINGS)] = ()
    """Warnings, at most 20."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_utc(self.started_at, "startedAt")
        if self.started_at > self.at:
            raise InvalidInput(
                f"expected a poll to end after {self.started_at.isoformat()}, when it began",
                code="END_BEFORE_START",
                path=("at",),
            )


class SnapshotRedacted(SourceFact, frozen=True, kw_only=True):
    """The bytes of a snapshot are deleted: the log removes them in the transaction that records this.

    `reason` must not disclose the content.
    """

    sha256: Sha256
    reason: Name
    by: Name | None = None

    def __post_init__(self) -> None:
        check_reason(self.reason)


def check_utc(at: datetime, field: str) -> None:
    """Reject a time that is not in UTC. Raises InvalidInput at `field`."""
    if at.utcoffset() != timedelta():
        raise InvalidInput(
            f"{at.isoformat()}: expected a time in UTC", code="INVALID_TIME", path=(field,)
        )
