"""The newest recorded act of an issuer, and its watched sources, as GraphQL shows them."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import field

from projections.query.horizon import Horizon as KnownHorizon
from projections.query.watching import IssuerWatch, UnreadSource
from schema.base.decorators import object_type
from schema.base.output_types import output_type, struct_field
from schema.base.scalars import Day, Instant, Position
from tracker.domain.values import PartialDate
from tracker.domain.vocabulary import FetchFailure


@output_type(of=UnreadSource, only_spelled=True)
class SourceNotRead:
    """A source whose last look could not read everything, or that was never read."""

    of: strawberry.Private[UnreadSource]

    key: str = struct_field(description="Its key: see `watchedSource`.")
    name: str = struct_field(description="What it is called.")
    since: Instant | None = struct_field(
        description="When the first look ended that could not read everything; null where no look has"
        " ended yet."
    )
    code: FetchFailure | None = struct_field(
        description="Why, for programs; null where no request failed by itself."
    )
    reason: str | None = struct_field(description="Why, in one line; null likewise.")
    looked_at: Instant | None = struct_field(
        description="When it was last read; what is known of it is as old. Null where it never was."
    )


@object_type
class Horizon:
    """The newest recorded act of an issuer, and the sources that are watched for newer ones. Earlier acts
    may be missing: see `completeness`.
    """

    issuer: str = field(
        description="The code of a place (`CN`) or the key of an alliance (`quad`)."
    )
    newest_fact_on: Day | None = field(
        description="The day from which the newest recorded act counts. Null if none is recorded, and"
        " sources are watched all the same."
    )
    newest_published_on: PartialDate | None = field(
        description="When its source was published; null likewise."
    )
    newest_position: Position | None = field(description="Its position in the log; null likewise.")
    recorded_at: Instant | None = field(description="When it was recorded; null likewise.")
    source_count: int = field(
        description="The number of sources that are watched for it. 0: nobody looks for newer facts."
    )
    looked_at: Instant | None = field(
        description="All of its sources were read at this time or later. Null where no source is watched,"
        " or one was never read."
    )
    next_look_expected_at: Instant | None = field(
        description="When the first of them should have been read again by its rhythm: after that what is"
        " known is older than it should be."
    )
    covers_until: Day | None = field(
        description="The day up to which all was seen that its sources had announced, as far as they tell;"
        " what was seen may wait for review. Null where `lookedAt` is, or none of them tells."
    )
    not_read: list[SourceNotRead] = field(
        description="The sources that can't be read, or were not yet."
    )


def horizon(issuer: str, known: KnownHorizon | None, watch: IssuerWatch) -> Horizon:
    """The GraphQL type of what is known of an issuer, and of who looks."""
    return Horizon(
        issuer=issuer,
        newest_fact_on=Day(known.newest_fact_on.isoformat()) if known else None,
        newest_published_on=known.newest_published_on if known else None,
        newest_position=Position(str(known.newest_position)) if known else None,
        recorded_at=instant(known.recorded_at if known else None),
        source_count=watch.source_count,
        looked_at=instant(watch.looked_at),
        next_look_expected_at=instant(watch.next_look_expected_at),
        covers_until=Day(watch.covers_until.isoformat()) if watch.covers_until else None,
        not_read=[SourceNotRead(of=one) for one in watch.not_read],
    )


def instant(at: datetime | None) -> Instant | None:
    """A time as the scalar writes it."""
    return at  # type: ignore[return-value]  # the scalar writes it
