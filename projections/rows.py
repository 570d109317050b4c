"""Version rows: a state on both axes of time, and the words under which lists find it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import asyncpg

from projections.timeline import Row
from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.codec import encode
from tracker.domain.entity import EntityState
from tracker.domain.export_control import ExportControlState
from tracker.domain.figure import FigureState
from tracker.domain.preference import PreferenceState
from tracker.domain.receipt import ImportState

COLUMNS = ("entity", "kind", "commodity", "period", "commodities", "places", "publishers",
           "category", "parts", "valid", "known", "state")

Subject = tuple[str, str, str]
"""A word under which lists find an entity: `kind, word, entity`."""

Record = tuple[Any, ...]
"""A row as the table takes it: see `COLUMNS`."""


class Words(NamedTuple):
    """What lists narrow a state by.

    `commodities` it is about, and `places`: that of a figure, the issuer, the members, the actors.
    `publishers` are those of the facts behind it, `category` is the one word that lists of its kind
    narrow by. `commodity` and `period` are those of a figure.
    """

    publishers: tuple[str, ...]
    commodities: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    category: str | None = None
    commodity: str | None = None
    period: int | None = None


def words(state: EntityState) -> Words:
    """The words of a state."""
    publishers = _once([source.publisher for source in state.sources])
    match state:
        case FigureState(series=series):
            return Words(publishers, (series.commodity,), (series.place,), series.statistic,
                         series.commodity, series.period)
        case AnnouncementState():
            return Words(publishers, state.commodities, state.actors, state.kind)
        case ExportControlState():
            goods = [id for item in state.clauses for id in item.clause.commodities]
            return Words(publishers, _once(goods), (state.issuer,), state.direction)
        case AllianceState():
            return Words(publishers, places=_once([member.place for member in state.members]))
        case PreferenceState():
            return Words(publishers, (state.commodity,) if state.commodity else (),
                         category=state.statistic)
        case ImportState():
            return Words(publishers, category=state.reader)
    return Words(publishers)


def parts(state: EntityState) -> list[dict[str, Any]]:
    """What lists narrow by inside a state: the clauses of a control, the claims of a figure.

    Words of the vocabulary only, no running text.
    """
    match state:
        case FigureState(claims=claims):
            return [{"publisher": claim.source.publisher, "position": claim.position}
                    for claim in claims]
        case ExportControlState(clauses=clauses):
            return [{"measure": item.clause.measure, "status": item.status,
                     "commodities": item.clause.commodities,
                     "destinations": item.clause.destinations} for item in clauses]
    return []


def tabled(rows: Iterable[Row]) -> tuple[list[Record], set[Subject]]:
    """Rows of one entity as the tables take them, with the words under which lists find it."""
    records, subjects = list[Record](), set[Subject]()
    found, lists = None, ("", "", "")
    for row in rows:
        before, found = found, words(row.version.state)
        if found != before:  # an entity is rarely about anything new
            subjects.update(_subjects(row.entity, found))
            lists = _json(found.commodities), _json(found.places), _json(found.publishers)
        records.append((
            row.entity, row.entity.partition("/")[0], found.commodity, found.period, *lists,
            found.category, _json(parts(row.version.state)),
            asyncpg.Range(row.version.start, row.version.end),
            asyncpg.Range(row.since, row.until), row.version.text))
    return records, subjects


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
