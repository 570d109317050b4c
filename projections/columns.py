"""What stands beside a state in the tables, for lists to narrow and order by. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import asyncpg

from projections.texts import said, title
from projections.timeline import Row
from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.clause import ClauseState
from tracker.domain.codec import encode
from tracker.domain.export_control import ExportControlState
from tracker.domain.figure import FigureState
from tracker.domain.preference import PreferenceState
from tracker.domain.receipt import ImportState
from tracker.domain.values import DAY, PartialDate, Value

COLUMNS = ("entity", "kind", "commodity", "period", "commodities", "places", "publishers",
           "category", "dated", "published", "verified", "title", "said", "parts", "valid", "known",
           "state")


def record(row: Row) -> tuple[Any, ...]:
    """A row as the table takes it."""
    state = row.version.state
    figure = state.series if isinstance(state, FigureState) else None
    sources = [because.source for because in state.because]
    return (
        row.entity,
        row.entity.partition("/")[0],
        figure.commodity if figure else None,
        figure.period if figure else None,
        list(dict.fromkeys(commodities(state))),
        list(dict.fromkeys(places(state))),
        list(dict.fromkeys(source.publisher for source in sources)),
        category(state),
        dated(state),
        [days(source.published_on) for source in sources],
        all(source.verified for source in sources),
        title(state),
        said(state),
        encode(list(parts(state))).decode(),
        asyncpg.Range(row.version.start, row.version.end),
        asyncpg.Range(row.since, row.until),
        row.version.text,
    )


def subjects(record: tuple[Any, ...]) -> Iterator[tuple[str, str, str]]:
    """The rows under which lists find the entity of a row: `kind, word, entity`."""
    entity, kind, commodity, period, commodities, places, publishers, *_ = record
    words = ("", *commodities, *places, *publishers, *pairs(commodities, places),
             *pairs([commodity] if commodity else [], [period]))
    return ((kind, word, entity) for word in words)


def texts(record: tuple[Any, ...]) -> Iterator[tuple[str, str, str]]:
    """The row under which a search finds the entity of a row: `kind, entity, said`."""
    found = dict(zip(COLUMNS, record, strict=True))
    if found["said"]:
        yield found["kind"], found["entity"], found["said"]


def pairs(some: Iterable[str], others: Sequence[object]) -> list[str]:
    """Words for what is about two things at once."""
    return [f"{one} {other}" for one in some for other in others]


def commodities(state: Value) -> Iterator[str]:
    """The commodities that a state is about."""
    match state:
        case FigureState():
            yield str(state.series.commodity)
        case AnnouncementState():
            yield from map(str, state.commodities)
        case ExportControlState():
            for clause in state.clauses:
                yield from map(str, clause.clause.commodities)
        case PreferenceState() if state.commodity:
            yield str(state.commodity)


def places(state: Value) -> Iterator[str]:
    """Who a state is about: the place of a figure, the issuer, the members, the actors."""
    match state:
        case FigureState():
            yield str(state.series.place)
        case AnnouncementState():
            yield from map(str, state.actors)
        case ExportControlState():
            yield str(state.issuer)
        case AllianceState():
            yield from (str(member.place) for member in state.members)


def category(state: Value) -> str | None:
    """The one word that lists of a kind narrow by."""
    match state:
        case FigureState():
            return state.series.statistic
        case AnnouncementState():
            return state.kind
        case ExportControlState():
            return state.direction
        case PreferenceState():
            return state.statistic
        case AllianceState():
            return state.status
        case ImportState():
            return state.reader
    return None


def dated(state: Value) -> asyncpg.Range[Any] | None:
    """The days of which one is the day from which an entity is: announced, founded, made; for a
    figure the day of its newest claim."""
    match state:
        case FigureState():
            return days(state.claims[-1].published_on)
        case AnnouncementState():
            return days(state.date)
        case ExportControlState():
            return days(state.announced_on)
        case AllianceState():
            return days(state.founded_on)
        case ImportState():
            return days(state.on)
    return None


def days(when: PartialDate) -> asyncpg.Range[Any]:
    """All the days that a date of stated precision may mean."""
    return asyncpg.Range(when.first, when.last, upper_inc=True)


def parts(state: Value) -> Iterator[dict[str, Any]]:
    """What lists narrow by inside a state: the clauses of a control, the claims of a figure.

    Words of the vocabulary and days only, no running text.
    """
    match state:
        case FigureState():
            for claim in state.claims:
                yield {"publisher": claim.publisher, "position": claim.position,
                       "published": _range(claim.published_on.first, claim.published_on.last),
                       "verified": claim.source.verified}
        case ExportControlState():
            for item in state.clauses:
                yield {"measure": item.clause.measure, "status": item.status,
                       "commodities": item.clause.commodities,
                       "destinations": item.clause.destinations,
                       "in_force": in_force(item), "suspended": suspended(item)}


def in_force(item: ClauseState) -> str | None:
    """The days on which a clause is in force by its dates, suspended or not; None where it has no
    day at all."""
    ends = [item.clause.in_force_until.last] if item.clause.in_force_until else []
    if item.repealed_from and item.repealed_from.first > date.min:
        ends.append(item.repealed_from.first - DAY)
    start, end = item.clause.in_force_from, min(ends, default=None)
    if start is None or (end is not None and end < start.first):
        return None
    return _range(start.first, end)


def suspended(item: ClauseState) -> str | None:
    """The days of the suspension that a clause is in or that is to come."""
    if item.suspended_from is None:
        return None
    last = item.suspended_until.last if item.suspended_until else None
    return _range(item.suspended_from.first, item.returns_on - DAY if item.returns_on else last)


def _range(first: date, last: date | None) -> str:
    """Days as PostgreSQL reads them, both ends inclusive; without a last one it is open."""
    return f"[{first},{last}]" if last else f"[{first},)"
