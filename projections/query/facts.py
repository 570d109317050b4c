"""Effective facts at a moment: by day, by edition, and the newest of each kind and issuer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct, field

from projections.query.event_cache import EventCache
from projections.query.horizon import POLICY
from projections.query.horizon import SQL as HORIZON_SQL
from projections.query.lists import Key, Keyed, KeyRange, figures_of
from projections.query.moment import Moment
from projections.query.sql_parts import fill, load_parts, versions_of
from projections.runner.progress import ProgressTracker
from projections.versions.fact_rows import block_of
from tracker.domain.basics.values import PartialDate
from tracker.log.entries import RecordedEvent, recorded
from tracker.log.recorder import Recorder, StreamRange
from tracker.log.resume_token import MAX_POSITION
from tracker.log.selection import Selection, streams_selected
from tracker.postgres.database import Pool

SQL = load_parts(Path(__file__).with_name("facts.sql"))
MAX_CACHED_ANSWERS = 200
"""Maximum of cached lists of editions and of newest facts, until the next event."""
FIRST_CONDITION = 7
"""Number of the first argument for the conditions; see facts.sql for those before."""


@cache
def _statement(part: str, given: tuple[str, ...], about: bool, way: str = "") -> str:
    """Compose the statement of a page or a count with some conditions."""
    names = (*given, *(("low", "high", "first") if about else ()))
    numbered = {name: f"${number}" for number, name in enumerate(names, FIRST_CONDITION)}
    conditions = fill(
        SQL.wanted,
        facts=fill(SQL.about, **numbered) if about else SQL.all,
        conditions="\n".join(f"  {fill(getattr(SQL, name), **numbered)}" for name in given),
    )
    return fill(part, wanted=conditions, way=way)


EDITIONS = fill(
    SQL.editions,
    summed=fill(SQL.summed, conditions=SQL.of_editions),
    first=fill(SQL.position_of_edition, way="ASC"),
    last=fill(SQL.position_of_edition, way="DESC"),
)
CLAIMS_NAMED = fill(SQL.claims_named, figures_named=SQL.figures_named)
EDITIONS_OF_COMMODITIES = fill(SQL.editions_of_commodities, figures_named=SQL.figures_named)
NEWEST = fill(SQL.newest, summed=fill(SQL.summed, conditions=SQL.of_newest))
OF_ISSUERS = fill(SQL.of_issuers, versions=versions_of(HORIZON_SQL.policy_entities))
NEWEST_BY_ISSUER = fill(SQL.newest_by_issuer, of_issuers=OF_ISSUERS)


class FactFilter(Struct, frozen=True):
    """A filter of facts; None does not filter. `public` is the first and last day of publication."""

    selection: Selection = field(default_factory=Selection)
    publisher: str | None = None
    public: tuple[date | None, date | None] = (None, None)


class Edition(Struct, frozen=True):
    """An edition of a publisher with a summary of its effective claims.

    Reserves have no year.
    """

    publisher: str
    """The publisher's short id, such as `usgs`."""
    edition: str
    """The edition, such as `MCS 2025`."""
    edition_version: str | None
    """Its version, if it has several."""
    published_on: date
    """The date from which its claims count; the first, if they differ."""
    last_published_on: date
    """The last of these dates."""
    claims: int
    """The number of its claims, each for a separate figure."""
    places: int
    """The number of places in its claims, groups included."""
    commodities: Sequence[str]
    """The commodities of its claims."""
    statistics: Sequence[str]
    """The statistics of its claims."""
    first_year: int | None
    """The first year of its claims; null if they have none, such as reserves."""
    last_year: int | None
    """The last of these years."""
    first_position: int
    """The position of the first claim in the log."""
    last_position: int
    """The position of the last claim in the log."""


class Grouping(NamedTuple):
    """Columns by which the newest facts are grouped."""

    kind: bool = True
    issuer: bool = False
    publisher: bool = False


class NewestFilter(NamedTuple):
    """A filter of the newest facts; None does not filter."""

    kind: str | None = None
    issuer: str | None = None
    publisher: str | None = None


class NewestFact(Struct, frozen=True):
    """The newest fact of a group, with the number of facts in the group.

    The group is a kind, an issuer and a publisher, or some of these. The newest fact is the one with
    the last effective day.
    """

    kind: str | None
    issuer: str | None
    """The code of a place (`CN`) or the key of an alliance (`quad`); null if facts are not grouped by it."""
    publisher: str | None
    """The publisher's short id; null if facts are not grouped by it."""
    facts: int
    """The number of facts."""
    public_on: date
    published_on: PartialDate
    position: int
    recorded_at: datetime
    """The time at which it was recorded."""


class Facts:
    """Queries for effective facts."""

    def __init__(self, pool: Pool, recorder: Recorder, progress: ProgressTracker | None = None):
        self._pool = pool
        self._recorder = recorder
        self._editions = EventCache(progress, MAX_CACHED_ANSWERS, self._read_editions)
        self._newest = EventCache(progress, MAX_CACHED_ANSWERS, self._read_newest)
        self.settled = MAX_POSITION
        """The last position of the stored sums that may be read."""

    async def by_day(self, moment: Moment, filter: FactFilter) -> FactList:
        """Return the facts at a moment that are public by its day, in the order of their days."""
        selection, about = filter.selection, None
        if selection.by_subject:
            about = await streams_selected(self._recorder, selection, moment.position + 1)
        return FactList(self._pool, moment, filter, about)

    async def editions(
        self, moment: Moment, publisher: str | None, commodities: Sequence[str] | None
    ) -> list[Edition]:
        """Return the editions with effective claims at a moment, in the order of their days."""
        of = None if commodities is None else tuple(commodities)
        return await self._editions.get((moment.alone, publisher, of))

    async def newest(self, position: int, by: Grouping, filter: NewestFilter) -> list[NewestFact]:
        """Return the newest facts at a position on any day, in the order of their groups."""
        return await self._newest.get((position, by, filter))

    async def _read_editions(
        self, key: tuple[Moment, str | None, tuple[str, ...] | None]
    ) -> list[Edition]:
        moment, publisher, commodities = key
        narrowed = moment.valid_at.isoformat(), publisher
        if commodities is None:
            rows = await self._pool.fetch(
                EDITIONS, moment.position, *block_of(min(moment.position, self.settled)), *narrowed
            )
        else:
            of = figures_of(commodities)
            rows = await self._pool.fetch(EDITIONS_OF_COMMODITIES, moment.position, *narrowed, of)
        editions = [Edition(**dict(row)) for row in rows]
        return sorted(editions, key=edition_key)

    async def _read_newest(self, key: tuple[int, Grouping, NewestFilter]) -> list[NewestFact]:
        position, by, filter = key
        narrowed = filter.kind, filter.publisher
        if by.issuer or filter.issuer is not None:
            rows = await self._pool.fetch(
                NEWEST_BY_ISSUER, POLICY, date.max, position, filter.issuer, *by, *narrowed
            )
        else:
            rows = await self._pool.fetch(
                NEWEST,
                position,
                *block_of(min(position, self.settled)),
                by.kind,
                by.publisher,
                *narrowed,
            )
        return [
            NewestFact(
                row["kind"],
                row["issuer"],
                row["publisher"],
                row["facts"],
                row["public_on"],
                recorded(row["entry"]).fact.source.published_on,
                row["position"],
                row["recorded_at"],
            )
            for row in rows
        ]


def edition_key(of: Edition) -> Key:
    """Return the sort key of an edition."""
    return (of.published_on.isoformat(), of.publisher, of.edition, of.edition_version or "")


class FactList:
    """Effective facts at a moment, in the order of their effective days."""

    def __init__(
        self, pool: Pool, moment: Moment, filter: FactFilter, about: Sequence[StreamRange] | None
    ):
        self._pool = pool
        self._moment, self._filter, self._about = moment, filter, about

    async def page(self, span: KeyRange, down: bool) -> list[Keyed[RecordedEvent]]:
        """Return the facts in a span of the order, or of the reverse order."""
        low, high = (span.before, span.after) if down else (span.after, span.before)
        descending = down is not span.from_end
        rows = await self._pool.fetch(
            self._statement(SQL.page, "DESC" if descending else ""),
            *self._arguments(low, high, span.closed, span.limit),
        )
        keyed: list[Keyed[RecordedEvent]] = []
        for row in rows:
            event = recorded(row["entry"])
            keyed.append(((row["public_on"].isoformat(), event.position), event))
        return keyed[::-1] if span.from_end else keyed

    async def count(self) -> int:
        """Return the number of facts."""
        arguments = self._arguments(None, None, False, None)
        return int(await self._pool.fetchval(self._statement(SQL.count), *arguments))

    @property
    def _conditions(self) -> dict[str, object]:
        """The requested conditions, by their parts of facts.sql."""
        selection = self._filter.selection
        conditions = {
            "types": selection.types,
            "publisher": self._filter.publisher,
            "entity": selection.entity,
        }
        return {name: value for name, value in conditions.items() if value is not None}

    def _statement(self, part: str, way: str = "") -> str:
        return _statement(part, tuple(self._conditions), self._about is not None, way)

    def _arguments(
        self,
        low: Sequence[str | int] | None,
        high: Sequence[str | int] | None,
        closed: bool,
        limit: int | None,
    ) -> Iterator[object]:
        first, last = self._filter.public
        least = _place(low, -1 if closed else 0) or (date.min, 0)
        most = _place(high, 1 if closed else 0) or (date.max, MAX_POSITION)
        until = min(self._moment.valid_at, last or date.max)
        yield self._moment.position
        for day, position in (
            max(least, (first, 0)) if first else least,
            min(most, (until, MAX_POSITION)),
        ):
            yield day.isoformat()
            yield position
        yield limit
        yield from self._conditions.values()
        if self._about is not None:
            yield from map(list, zip(*self._about, strict=True)) if self._about else ([], [], [])


def _place(key: Sequence[str | int] | None, further: int) -> tuple[date, int] | None:
    """Return the day and position of a key, moved by some positions."""
    if key is None:
        return None
    day, position = key
    return date.fromisoformat(str(day)), min(int(position) + further, MAX_POSITION)
