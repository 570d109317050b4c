"""Version rows: a state on both axes of time, and the words under which lists find it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from typing import Any, NamedTuple

import asyncpg

from projections.texts import said, title
from projections.timeline import Row
from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.clause import ClauseState
from tracker.domain.codec import encode
from tracker.domain.entity import EntityState
from tracker.domain.export_control import ExportControlState
from tracker.domain.figure import FigureState
from tracker.domain.preference import PreferenceState
from tracker.domain.receipt import ImportState
from tracker.domain.values import DAY, PartialDate

COLUMNS = ("entity", "kind", "commodity", "period", "commodities", "places", "publishers",
           "category", "dated", "published", "verified", "title", "said", "parts", "valid", "known",
           "state")

Subject = tuple[str, str, str]
"""A word under which lists find an entity: `kind, word, entity`."""

Said = tuple[str, str, str]
"""Words by which a search finds an entity: `kind, entity, said`."""

Record = tuple[Any, ...]
"""A row as the table takes it: see `COLUMNS`."""


class Words(NamedTuple):
    """What lists narrow a state by.

    `commodities` it is about, and `places`: that of a figure, the issuer, the members, the actors.
    `publishers` are those of the facts behind it, `category` is the one word that lists of its kind
    narrow by. `commodity` and `period` are those of a figure. `dated` is when it was announced,
    founded or made, or, of a figure, when its newest claim was published; `published` when the
    sources were, each of which is `verified` or not. `title` is what lists order by, `said` what a
    search finds.
    """

    publishers: tuple[str, ...]
    published: tuple[str, ...]
    verified: bool
    commodities: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    category: str | None = None
    commodity: str | None = None
    period: int | None = None
    dated: PartialDate | None = None
    title: str | None = None
    said: str | None = None


def words(state: EntityState) -> Words:
    """The words of a state."""
    sources = state.sources
    made = partial(
        Words, _once([source.publisher for source in sources]),
        _once([of_date(source.published_on) for source in sources]),
        all(source.verified for source in sources), title=title(state), said=said(state))
    match state:
        case FigureState(series=series):
            return made((series.commodity,), (series.place,), series.statistic, series.commodity,
                        series.period, state.claims[-1].published_on)
        case AnnouncementState():
            return made(state.commodities, state.actors, state.kind, dated=state.date)
        case ExportControlState():
            goods = [id for item in state.clauses for id in item.clause.commodities]
            return made(_once(goods), (state.issuer,), state.direction, dated=state.announced_on)
        case AllianceState():
            members = _once([member.place for member in state.members])
            return made((), members, state.status, dated=state.founded_on)
        case PreferenceState():
            goods = [state.commodity] if state.commodity else []
            return made(tuple(goods), category=state.statistic)
        case ImportState():
            return made(category=state.reader, dated=state.on)
    return made()


def parts(state: EntityState) -> list[dict[str, Any]]:
    """What lists narrow by inside a state: the clauses of a control, the claims of a figure.

    Words of the vocabulary and days only, no running text.
    """
    match state:
        case FigureState(claims=claims):
            return [{"publisher": claim.source.publisher, "position": claim.position,
                     "published": of_date(claim.source.published_on),
                     "verified": claim.source.verified} for claim in claims]
        case ExportControlState(clauses=clauses):
            return [{"measure": item.clause.measure, "status": item.status,
                     "commodities": item.clause.commodities,
                     "destinations": item.clause.destinations,
                     "in_force": in_force(item), "suspended": suspended(item)} for item in clauses]
    return []


def in_force(item: ClauseState) -> str | None:
    """The days on which a clause is in force by its dates, suspended or not; None where it has no
    day at all."""
    ends = [item.clause.in_force_until.last] if item.clause.in_force_until else []
    if item.repealed_from and item.repealed_from.first > date.min:
        ends.append(item.repealed_from.first - DAY)
    start, end = item.clause.in_force_from, min(ends, default=None)
    if start is None or (end is not None and end < start.first):
        return None
    return days(start.first, end)


def suspended(item: ClauseState) -> str | None:
    """The days of the suspension that a clause is in or that is to come."""
    if item.suspended_from is None:
        return None
    last = item.suspended_until.last if item.suspended_until else None
    return days(item.suspended_from.first, item.returns_on - DAY if item.returns_on else last)


@lru_cache(maxsize=65536)
def of_date(given: PartialDate) -> str:
    """The days that a date may mean."""
    return days(given.first, given.last)


def days(first: date, last: date | None) -> str:
    """Days as PostgreSQL reads them, both ends inclusive; without a last one they are open."""
    return f"[{first},{last}]" if last else f"[{first},)"


@dataclass(slots=True)
class Finding:
    """What entities are found by: what they were ever about, and what they ever said."""

    subjects: set[Subject] = field(default_factory=set)
    said: set[Said] = field(default_factory=set)


def tabled(rows: Iterable[Row], finding: Finding) -> list[Record]:
    """Rows of one entity as the tables take them. What it is found by is added to `finding`."""
    records = list[Record]()
    found, lists = None, ("", "", "", "")
    for row in rows:
        before, found = found, words(row.version.state)
        if found != before:  # an entity is rarely about anything new
            finding.subjects.update(_subjects(row.entity, found))
            if found.said:
                finding.said.add((row.entity.partition("/")[0], row.entity, found.said))
            lists = (_json(found.commodities), _json(found.places), _json(found.publishers),
                     _json(found.published))
        records.append((
            row.entity, row.entity.partition("/")[0], found.commodity, found.period, *lists[:3],
            found.category, found.dated and asyncpg.Range(
                found.dated.first, found.dated.last, upper_inc=True),
            lists[3], found.verified, found.title, found.said, _json(parts(row.version.state)),
            asyncpg.Range(row.version.start, row.version.end),
            asyncpg.Range(row.since, row.until), row.version.text))
    return records


def _subjects(entity: str, of: Words) -> Iterator[Subject]:
    kind = entity.partition("/")[0]
    periods = (of.period,) if of.commodity else ()  # reserves are asked for by having none
    for word in ("", *of.commodities, *of.places, *of.publishers,
                 *pairs(of.commodities, of.places), *pairs(of.commodities, periods)):
        yield kind, word, entity


def pairs(some: Iterable[str], others: Sequence[object]) -> list[str]:
    """Words for what is about two things at once."""
    return [f"{one} {other}" for one in some for other in others]


def _once(words: Iterable[str]) -> tuple[str, ...]:
    """The words without repetitions, in their order."""
    return tuple(dict.fromkeys(words))


def _json(value: object) -> str:
    return encode(value).decode()
