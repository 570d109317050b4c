"""Version rows: a state on both time axes, with the columns for lists. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from operator import attrgetter

import msgspec

from projections.fold.entity_rows import RowDelta
from projections.runner.writing import NULL, OPEN_POSITION, Line, day_text
from projections.versions.list_text import search_text, title
from projections.versions.source_columns import days, of_date, sources_json, sources_of_fact
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.actors.announcement import AnnouncementState
from tracker.domain.actors.firm import FirmState, spelling
from tracker.domain.basics.codec import encode
from tracker.domain.basics.values import DAY, PartialDate
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import firms_in
from tracker.domain.controls.obligation import ObligationState
from tracker.domain.controls.text import TextState
from tracker.domain.entities.elements import Element, is_split
from tracker.domain.entities.entity import EntityState, Evidence
from tracker.domain.evidence.coverage import CoverageState
from tracker.domain.evidence.import_receipt import ImportState
from tracker.domain.evidence.watched_source import WatchedSourceState
from tracker.domain.figures.figure import Claim, FigureState
from tracker.domain.figures.figure_facts import Series
from tracker.domain.figures.preference import PreferenceState
from tracker.domain.figures.tariff import TariffLineState
from tracker.domain.figures.tariff_edition import TariffEditionState
from tracker.domain.figures.trade_flow import TradeFlowState


class FilterColumns(msgspec.Struct, frozen=True, gc=False):
    """Columns for filters and orders of lists that rarely change.

    `commodities` and `places` are the subjects of an entity: the place of a figure, the issuer, the
    members, the actors. `category` is the filter value of its kind. `commodity` is that of a figure,
    `period` the year of a figure or trade flow. `title` is the sort text and `search_text` the searched
    text. `other_words` are more index words: firms, codes, and subjects of an announcement.
    """

    commodities: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    category: str | None = None
    commodity: str | None = None
    period: int | None = None
    title: str | None = None
    search_text: str | None = None
    other_words: tuple[str, ...] = ()


def filter_columns(state: EntityState, *, texts: bool = True) -> FilterColumns:
    """Return the columns of a state, with its `texts` for orders and searches or without."""
    if isinstance(state, FigureState):
        return _series_columns(state.series)
    columns: Callable[..., FilterColumns] = FilterColumns
    if texts:
        columns = partial(columns, title=title(state), search_text=search_text(state))
    match state:
        case AnnouncementState():
            topics = [topic_word(state.topic)] if state.topic else []
            words = unique([*firm_words(state.firms), *map(about_word, state.about), *topics])
            return columns(state.commodities, state.actors, state.kind, other_words=words)
        case ExportControlState():
            goods = [id for item in state.clauses for id in item.clause.commodities]
            firms = firm_words(name for item in state.clauses for name in firms_in(item))
            return columns(unique(goods), (state.issuer,), state.direction, other_words=firms)
        case AllianceState():
            members = [member.place for member in state.members if member.role.is_membership]
            return columns((), unique(members), state.status)
        case PreferenceState():
            goods = [state.commodity] if state.commodity else []
            return columns(tuple(goods), category=state.statistic)
        case ImportState():
            return columns(category=state.reader)
        case FirmState(place=place):
            return columns(places=(place,) if place else ())
        case WatchedSourceState():
            return columns(places=state.issuers, category=state.adapter)
        case CoverageState():
            return columns(state.commodities, (state.issuer,), state.acts)
        case TradeFlowState(importer=importer, hs_code=code):
            words = (code_word(code[:4]), code_word(code))
            return columns((), (importer,), code, period=state.year, other_words=words)
        case TariffEditionState():
            return columns((), (state.place,))
        case TariffLineState(code=code):
            words = tuple(code_word(code[:digits]) for digits in (4, 6, 8))
            return columns((), (state.place,), code, other_words=words)
        case ObligationState():
            return columns(state.commodities, (state.issuer,))
        case TextState():
            return columns(places=(state.issuer,))
    return columns()


def about_word(entity: str) -> str:
    """Return the index word for announcements about an entity."""
    return f"about/{entity}"


def code_word(code: str) -> str:
    """Return the index word for trade flows and tariff lines under a heading or code of the Harmonized
    System."""
    return f"hs/{code}"


def topic_word(topic: str) -> str:
    """Return the index word for announcements on a topic."""
    return f"topic/{spelling(topic)}"


def firm_words(names: Iterable[str]) -> tuple[str, ...]:
    """Return the index words for entities that name firms; only such words have a slash."""
    return unique([f"firm/{spelling(name)}" for name in names])


def _series_columns(series: Series) -> FilterColumns:
    """Return the columns of a figure, equal in all its states."""
    return FilterColumns(
        (series.commodity,), (series.place,), series.statistic, series.commodity, series.period
    )


def main_date(state: EntityState) -> PartialDate | None:
    """Return the date of announcement or foundation; for a figure, the date of its newest claim."""
    match state:
        case FigureState() | TradeFlowState():
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


def clauses_json(state: EntityState) -> str:
    """Return the clauses of a control as JSON for list filters: vocabulary words and days."""
    if not isinstance(state, ExportControlState):
        return "[]"
    return encode(
        [
            {
                "measure": item.clause.measure,
                "status": item.status,
                "commodities": item.clause.commodities,
                "in_force": _span(item.days_in_force()),
                "suspended": _span(item.suspended_days()),
            }
            for item in state.clauses
        ]
    ).decode()


def _span(given: tuple[date, date | None] | None) -> str | None:
    return days(*given) if given else None


def search_keys(day: date, state: EntityState) -> dict[object, date]:
    """Return the keys under which lists and searches find an entity, with a first day.

    The keys are its columns and its publishers.
    """
    publishers = (source.publisher for source in state.sources)
    return dict.fromkeys([filter_columns(state), *publishers], day)


@dataclass(slots=True)
class ListKeys:
    """The keys under which lists find entities: their words and texts at any time."""

    subjects: list[str] = field(default_factory=list)
    """Rows of entities without earlier rows, as lines, with columns in the order of `add_subjects`
    (rows.sql)."""
    more_subjects: list[str] = field(default_factory=list)
    """Rows of other entities; they may exist already, with a later first day."""
    texts: set[tuple[str, str, str]] = field(default_factory=set)
    """Kinds, entities and their texts."""


def version_rows(delta: RowDelta, keys: ListKeys) -> Iterator[Line]:
    """Yield the version rows of a delta one by one, because they may be large.

    New keys are added to `keys`, unless `delta.search_keys` has them from as early a day.
    """
    words = _Words(delta.search_keys)
    columns, head = FilterColumns(), ""
    for row in sorted(delta.added, key=_SINCE):
        entity, version, since = row.entity, row.version, row.since
        start, state = version.start, version.state
        if not head or not isinstance(state, FigureState):  # the columns of a figure are constant
            columns, before = filter_columns(state), columns
            if not head or columns != before:
                head = _head(entity, columns)
        if words.are_news(columns, start):
            for word in _subjects(columns):
                words.add(word, since, start)
            if columns.search_text:
                keys.texts.add((_kind(entity), entity, columns.search_text))
        sources = NULL
        if not is_split(version.text):
            sources = sources_json(entity, state, delta.history)
            words.add_publishers(state, since, start)
        day = main_date(state)
        yield (
            f"{head}\t{of_date(day) if day else NULL}\t{sources}"
            f"\t{clauses_json(state)}\t{day_text(start)}\t{_last_day(version.end)}"
            f"\t{since}\t{row.until or OPEN_POSITION}\t{row.generation}"
            f"\t{_newest(version.newest)}\t{version.text}"
        )
    for listed in delta.elements:
        if isinstance(value := listed.element.value, (Evidence, Claim)):
            words.add_publishers(value, listed.since, listed.element.first_day)
    subjects = keys.subjects if delta.is_new else keys.more_subjects
    subjects += words.lines(delta.entity)


class _Words:
    """New index words of an entity, each with its first position and first day."""

    def __init__(self, known: dict[object, date]):
        self.known = known
        """The keys known to lists, each with its day; see `search_keys`."""
        self._found: dict[str, tuple[int, date]] = {}

    def are_news(self, key: object, day: date) -> bool:
        """Whether a key is new on a day; it is known from now on."""
        before = self.known.get(key)
        if before is not None and before <= day:
            return False
        self.known[key] = day
        return True

    def add(self, word: str, since: int, day: date) -> None:
        """Add a word."""
        found = self._found.get(word)
        if found is None:
            self._found[word] = since, day
        elif found[0] > since or found[1] > day:
            self._found[word] = min(found[0], since), min(found[1], day)

    def add_publishers(self, of: EntityState | Evidence | Claim, since: int, day: date) -> None:
        """Add the publishers of sources."""
        for source in of.sources:
            if self.are_news(source.publisher, day) or source.publisher in self._found:
                self.add(source.publisher, since, day)

    def lines(self, entity: str) -> list[Line]:
        """Return the rows of the words."""
        kind = _kind(entity)
        return [
            f"{kind}\t{word}\t{entity}\t{since}\t{day_text(day)}"
            for word, (since, day) in self._found.items()
        ]


def _last_day(end: date | None) -> str:
    """Return the last day before an end, or infinity without an end."""
    return day_text(end - DAY) if end else "infinity"


def _newest(newest: tuple[date, int] | None) -> str:
    """Return the day and position of the last fact, as two columns."""
    return f"{NULL}\t{NULL}" if newest is None else f"{day_text(newest[0])}\t{newest[1]}"


def element_rows(delta: RowDelta) -> list[Line]:
    """Return the rows of list elements in a delta."""
    return [
        f"{delta.entity}\t{of.list}\t{of.place}\t{day_text(of.first_day)}\t{_last_day(of.end)}"
        f"\t{row.since}\t{row.until or OPEN_POSITION}\t{of.text}\t{_source(of) or NULL}"
        for row in delta.elements
        for of in [row.element]
    ]


def _source(element: Element) -> str | None:
    """Return the sources of an element for list filters: one as itself, several as a list.

    Returns None if they belong to another element.
    """
    if not isinstance(element.value, (Evidence, Claim)):
        return None
    parts = sources_of_fact(element.value, element.issuers)
    return parts[0] if len(parts) == 1 else f"[{','.join(parts)}]"


_SINCE = attrgetter("since")


def _head(entity: str, of: FilterColumns) -> str:
    """Return the columns that are equal in most rows of an entity."""
    return "\t".join(
        [
            entity,
            _kind(entity),
            of.commodity or NULL,
            NULL if of.period is None else str(of.period),
            _words_json(of.commodities),
            _words_json(of.places),
            of.category or NULL,
            of.title or NULL,
            of.search_text or NULL,
        ]
    )


@lru_cache(maxsize=4096)
def _words_json(words: tuple[str, ...]) -> str:
    """Return a JSON array of words, cached because many entities share them."""
    return encode(words).decode()


def _kind(entity: str) -> str:
    return entity.partition("/")[0]


def _subjects(of: FilterColumns) -> list[str]:
    """Return the index words of an entity; '' is for all of a kind.

    A figure has no word for its commodity, which begins its name; reserves have no year.
    """
    if of.commodity:
        return ["", *of.places, *compound_keys(of.commodities, [of.period])]
    pairs = compound_keys(of.commodities, of.places)
    return ["", *of.commodities, *of.places, *pairs, *of.other_words]


def compound_keys(some: Iterable[str], others: Sequence[object]) -> list[str]:
    """Return the index words for pairs."""
    return [f"{one} {other}" for one in some for other in others]


def unique(words: Iterable[str]) -> tuple[str, ...]:
    """Return the words without repetitions, in order."""
    return tuple(dict.fromkeys(words))
