"""Version rows: a state on both axes of time, and the words under which lists find it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from operator import attrgetter
from typing import NamedTuple

from projections.fold.timeline import RowDelta
from projections.versions.search_text import said, title
from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.clause import ClauseState
from tracker.domain.codec import encode
from tracker.domain.elements import is_split
from tracker.domain.entity import Because, EntityState
from tracker.domain.export_control import ExportControlState
from tracker.domain.figure import Claim, FigureState, Series
from tracker.domain.import_receipt import ImportState
from tracker.domain.preference import PreferenceState
from tracker.domain.values import DAY, PartialDate, Source, Value
from tracker.domain.vocabulary import LegalStage

Subject = tuple[str, str, str, int]
"""A word under which lists find an entity: `kind, word, entity`, and since which position."""

Said = tuple[str, str, str]
"""Words by which a search finds an entity: `kind, entity, said`."""

Record = str
"""A row as a line, its columns in the order of `add_versions` (projector.sql).

No tabs and ends of lines are in it but those that part columns and rows: JSON and words have none.
"""

NULL = "\x01"
"""Stands for no value, in a row: nor are there other control characters in JSON and words."""

OPEN_POSITION = 2**63 - 1
"""Until when a row is what the log says that still is."""


class FilterColumns(NamedTuple):
    """What lists narrow and order states by, as far as it rarely changes.

    `commodities` it is about, and `places`: that of a figure, the issuer, the members, the actors.
    `category` is the one word that lists of its kind narrow by. `commodity` and `period` are those
    of a figure. `title` is what lists order by, `said` what a search finds.
    """

    commodities: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    category: str | None = None
    commodity: str | None = None
    period: int | None = None
    title: str | None = None
    said: str | None = None


def words(state: EntityState) -> FilterColumns:
    """The words of a state."""
    if isinstance(state, FigureState):
        return _of_series(state.series)
    made = partial(FilterColumns, title=title(state), said=said(state))
    match state:
        case AnnouncementState():
            return made(state.commodities, state.actors, state.kind)
        case ExportControlState():
            goods = [id for item in state.clauses for id in item.clause.commodities]
            return made(unique(goods), (state.issuer,), state.direction)
        case AllianceState():
            return made((), unique([member.place for member in state.members]), state.status)
        case PreferenceState():
            goods = [state.commodity] if state.commodity else []
            return made(tuple(goods), category=state.statistic)
        case ImportState():
            return made(category=state.reader)
    return made()


@lru_cache(maxsize=64)
def _of_series(series: Series) -> FilterColumns:
    """The words of a figure, the same in all of its states."""
    return FilterColumns(
        (series.commodity,), (series.place,), series.statistic, series.commodity, series.period
    )


def dated(state: EntityState) -> PartialDate | None:
    """When it was announced, founded or made, or, of a figure, when its newest claim was published."""
    match state:
        case FigureState():
            return state.claims[-1].published_on
        case AnnouncementState():
            return state.date
        case ExportControlState():
            return state.announced_on
        case AllianceState():
            return state.founded_on
        case ImportState():
            return state.on
    return None


def told(state: EntityState, sources: Sequence[Source]) -> str:
    """The sources of a state as lists narrow by them, in JSON, each once.

    Those of a figure's claims come first, with the positions of these.
    """
    parts = [_told(source.publisher, source.published_on, source.verified) for source in sources]
    if isinstance(state, FigureState):
        for index, claim in enumerate(state.claims):
            parts[index] += f',"position":{claim.position}'
    else:
        parts = [*dict.fromkeys(parts)]
    return "[" + ",".join([part + "}" for part in parts]) + "]"


@lru_cache(maxsize=4096)
def _told(publisher: str, published: PartialDate, verified: bool) -> str:
    """A source in JSON, without its end."""
    return encode(
        {"publisher": publisher, "published": of_date(published), "verified": verified}
    ).decode()[:-1]


def clauses(state: EntityState) -> str:
    """The clauses of a control as lists narrow by them, in JSON: words of the vocabulary and days."""
    if not isinstance(state, ExportControlState):
        return "[]"
    return encode(
        [
            {
                "measure": item.clause.measure,
                "status": item.status,
                "commodities": item.clause.commodities,
                "destinations": item.clause.destinations,
                "in_force": in_force(item),
                "suspended": suspended(item),
            }
            for item in state.clauses
        ]
    ).decode()


def in_force(item: ClauseState) -> str | None:
    """The days on which a clause is in force by its dates, suspended or not; None where it has no
    day at all."""
    over = item.repealed_from or item.discontinued_from
    ends = [item.clause.last_day] if item.clause.last_day else []
    if over and over.first > date.min:
        ends.append(over.first - DAY)
    start, end = item.clause.first_day, min(ends, default=None)
    adopted = item.clause.legal_stage is LegalStage.ADOPTED
    if not adopted or start is None or (end is not None and end < start):
        return None
    return days(start, end)


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
    return f"[{_day(first)},{_day(last)}]"


@lru_cache(maxsize=65536)
def _day(day: date | None) -> str:
    """A day as PostgreSQL reads it, and as asyncpg sends the first and the last of the calendar;
    None is the end of an open range."""
    if day is None:
        return ""
    return {date.min: "-infinity", date.max: "infinity"}.get(day) or day.isoformat()


@dataclass(slots=True)
class SearchIndexRows:
    """What entities are found by: what they were ever about, since which position, and what they
    ever said."""

    subjects: list[Subject] = field(default_factory=list)
    said: set[Said] = field(default_factory=set)

    @classmethod
    def joined(cls, findings: Sequence[SearchIndexRows]) -> SearchIndexRows:
        """All of some findings."""
        return cls(
            [subject for each in findings for subject in each.subjects],
            {said for each in findings for said in each.said},
        )


def found_by(state: EntityState) -> set[object]:
    """What lists find the entity of a state by."""
    return {words(state), *(source.publisher for source in state.sources)}


def tabled(revision: RowDelta, finding: SearchIndexRows) -> Iterator[Record]:
    """The rows that a revision adds, as the tables take them, one by one: they may be large.

    What the entity is found by goes into `finding`, but for what it is known to be found by.
    """
    since_when: dict[str, int] = {}
    before, head = None, ""
    known = revision.found
    publishers: dict[str, int] = {}
    for row in sorted(revision.added, key=_SINCE):
        entity, (start, end, state, text), since, until, generation = row
        found = words(state)
        if found is not before and found != before:  # an entity is rarely about anything new
            head, before = _head(entity, found), found
            if found not in known:
                known.add(found)
                for word in _subjects(found):
                    since_when.setdefault(word, since)
                if found.said:
                    finding.said.add((_kind(entity), entity, found.said))
        sources = NULL
        if not is_split(text):
            sources = told(state, each := state.sources)
            for source in each:
                if source.publisher not in known:
                    publishers.setdefault(source.publisher, since)
        day = dated(state)
        yield (
            f"{head}\t{of_date(day) if day else NULL}\t{sources}"
            f"\t{clauses(state)}\t{_day(start)}\t{_day(end - DAY) if end else 'infinity'}"
            f"\t{since}\t{until or OPEN_POSITION}\t{generation}\t{text}\n"
        )
    for element, since, _ in revision.elements:
        publisher = _publisher(element.value)
        if publisher and publisher not in known:
            publishers[publisher] = min(since, publishers.get(publisher, since))
    for publisher, since in publishers.items():
        known.add(publisher)
        since_when[publisher] = min(since, since_when.get(publisher, since))
    if since_when:
        entity = revision.entity
        kind = _kind(entity)
        finding.subjects += [(kind, word, entity, since) for word, since in since_when.items()]


def listed(revision: RowDelta) -> list[Record]:
    """The elements of long lists that a revision adds, as their table takes them."""
    return [
        f"{revision.entity}\t{list}\t{place}\t{_day(start)}"
        f"\t{_day(end - DAY) if end else 'infinity'}\t{since}\t{until or OPEN_POSITION}\t{text}"
        f"\t{_source(value) or NULL}\n"
        for (list, place, start, end, value, text), since, until in revision.elements
    ]


def _publisher(element: Value) -> str | None:
    return element.source.publisher if isinstance(element, (Because, Claim)) else None


def _source(element: Value) -> str | None:
    """The source of an element as lists narrow by it, and the position of a claim; None where it
    is that of another."""
    match element:
        case Because(source=source):
            return _told(source.publisher, source.published_on, source.verified) + "}"
        case Claim(source=source, position=position):
            return (
                _told(source.publisher, source.published_on, source.verified)
                + f',"position":{position}}}'
            )
    return None


_SINCE = attrgetter("since")


def _head(entity: str, of: FilterColumns) -> str:
    """The columns that are the same in most rows of an entity."""
    return "\t".join(
        [
            entity,
            _kind(entity),
            of.commodity or NULL,
            NULL if of.period is None else str(of.period),
            _listed(of.commodities),
            _listed(of.places),
            of.category or NULL,
            of.title or NULL,
            of.said or NULL,
        ]
    )


@lru_cache(maxsize=4096)
def _listed(words: tuple[str, ...]) -> str:
    """Words as a list in JSON; many entities are about the same."""
    return encode(words).decode()


def _kind(entity: str) -> str:
    return entity.partition("/")[0]


def _subjects(of: FilterColumns) -> list[str]:
    """The words that lists find an entity by; '' for all of a kind.

    A figure has none for its commodity, with which its name begins; reserves are of no year.
    """
    if of.commodity:
        return ["", *of.places, *compound_keys(of.commodities, [of.period])]
    return ["", *of.commodities, *of.places, *compound_keys(of.commodities, of.places)]


def compound_keys(some: Iterable[str], others: Sequence[object]) -> list[str]:
    """Words for what is about two things at once."""
    return [f"{one} {other}" for one in some for other in others]


def unique(words: Iterable[str]) -> tuple[str, ...]:
    """The words without repetitions, in their order."""
    return tuple(dict.fromkeys(words))
