"""Watched sources of an issuer: time of the last poll and failures. Pure.

Knowledge of an issuer is as old as the last complete poll of its sources. Like the horizon it depends
on the position alone, not on the effective date.
"""

from collections.abc import Iterable
from datetime import date, datetime

from msgspec import Struct

from tracker.domain.basics.vocabulary import FetchFailure
from tracker.domain.evidence.watched_source import WatchedSourceState


class UnreadSource(Struct, frozen=True):
    """A source whose last poll was incomplete, or that was never polled."""

    key: str
    """Its key: see `watchedSource`."""
    name: str
    """Its name."""
    since: datetime | None
    """The end of the first incomplete poll; null if no poll has ended yet."""
    code: FetchFailure | None
    """The reason, for programs; null if no single request failed."""
    reason: str | None
    """The reason, in one line; null if no single request failed."""
    looked_at: datetime | None
    """The time of the last poll. The data of the source are as of this time. Null if it was never polled."""


class IssuerWatch(Struct, frozen=True):
    """State of the sources that are watched for an issuer.

    All of them were read at `looked_at` or later. `covers_until` is the day up to which their
    announcements were seen. None if one was never read, or if none gives a day.
    """

    source_count: int = 0
    looked_at: datetime | None = None
    covers_until: date | None = None
    next_look_expected_at: datetime | None = None
    not_read: tuple[UnreadSource, ...] = ()


NOBODY = IssuerWatch()
"""Watch of an issuer without a watched source."""


def watch_by_issuer(sources: Iterable[WatchedSourceState]) -> dict[str, IssuerWatch]:
    """Return the state of sources, by the issuers that they are watched for."""
    by_issuer: dict[str, list[WatchedSourceState]] = {}
    for source in sources:
        if source.is_watched:
            for issuer in dict.fromkeys(source.issuers):
                by_issuer.setdefault(issuer, []).append(source)
    return {issuer: _watch(of) for issuer, of in by_issuer.items()}


def _watch(sources: list[WatchedSourceState]) -> IssuerWatch:
    looked = [one.last_looked_at for one in sources]
    days = [one.covers_until for one in sources if one.covers_until]
    expected = [one.next_look_expected_at for one in sources]
    return IssuerWatch(
        source_count=len(sources),
        looked_at=min([at for at in looked if at], default=None) if all(looked) else None,
        covers_until=min(days, default=None) if all(looked) else None,
        next_look_expected_at=min([at for at in expected if at], default=None),
        not_read=tuple(
            _unread(one) for one in sources if one.failing_since or one.last_looked_at is None
        ),
    )


def _unread(source: WatchedSourceState) -> UnreadSource:
    failure = source.last_failure if source.failing_since else None
    return UnreadSource(
        key=source.id,
        name=source.name,
        since=source.failing_since,
        code=failure.code if failure else None,
        reason=failure.reason if failure else None,
        looked_at=source.last_looked_at,
    )
