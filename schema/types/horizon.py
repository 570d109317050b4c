"""GraphQL types of the newest recorded act of an issuer and its watched sources."""

from datetime import datetime

import strawberry

from projections.query.horizon import Horizon as KnownHorizon
from projections.query.watching import IssuerWatch, UnreadSource
from schema.base.decorators import object_type
from schema.base.output_types import output_type
from schema.base.scalars import Day, Instant, Position
from tracker.domain.basics.values import PartialDate


@output_type()
class SourceNotRead:
    """A source whose last poll was incomplete, or that was never polled."""

    of: strawberry.Private[UnreadSource]


@object_type
class Horizon:
    """The newest recorded act of an issuer, and the sources that are watched for newer ones. Earlier
    acts may be missing: see `completeness`."""

    issuer: str
    """The code of a place (`CN`) or the key of an alliance (`quad`)."""
    newest_fact_on: Day | None
    """The date from which the newest recorded act counts. Null if none is recorded although sources are
    watched."""
    newest_published_on: PartialDate | None
    """The publication date of its source; null if no act is recorded."""
    newest_position: Position | None
    """Its position in the log; null if no act is recorded."""
    recorded_at: Instant | None
    """The time at which it was recorded; null if no act is recorded."""
    source_count: int
    """The number of sources that are watched for the issuer. 0: newer acts may be missing."""
    looked_at: Instant | None
    """All of its sources were polled at this time or later. Null if no source is watched, or one was never
    polled."""
    next_look_expected_at: Instant | None
    """The earliest time at which one of them is due for its next poll. After it, the data are older than
    they should be."""
    covers_until: Day | None
    """The date up to which all announcements of its sources were read, as far as the sources state it. They
    may still wait for review. Null if `lookedAt` is null, or if no source states it."""
    not_read: list[SourceNotRead]
    """The sources that could not be read, or were not read yet."""


def horizon(issuer: str, known: KnownHorizon | None, watch: IssuerWatch) -> Horizon:
    """Return the GraphQL type of the horizon of an issuer."""
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
    """Return a time as the scalar writes it."""
    return at  # type: ignore[return-value]  # the scalar writes it
