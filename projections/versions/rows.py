"""Version rows: a state on both axes of time, and the columns by which lists find it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache, partial
from operator import attrgetter

import msgspec

from projections.fold.entity_rows import RowDelta
from projections.versions.search_document import SearchIndexRows, document, search_text, title
from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.codec import encode
from tracker.domain.coverage import CoverageState
from tracker.domain.elements import Element, is_split
from tracker.domain.entity import EntityState, Evidence, History
from tracker.domain.export_control import ExportControlState
from tracker.domain.figure import Claim, FigureState
from tracker.domain.figure_facts import Series
from tracker.domain.firm import FirmState, spelling
from tracker.domain.import_receipt import ImportState
from tracker.domain.matching import firms_in
from tracker.domain.preference import PreferenceState
from tracker.domain.provenance import Issuers, cite, issuers_of
from tracker.domain.values import DAY, CitedSource, PartialDate, Source
from tracker.domain.vocabulary import Checked
from tracker.domain.watched_source import WatchedSourceState

Line = str
"""A row as a line, its columns in the order of `add_versions` (rows.sql).

Tabs separate columns; neither JSON nor words contain any.
"""

NULL = "\x01"
"""A column without a value: JSON and words contain no control characters."""

OPEN_POSITION = 2**63 - 1
"""The `until` of a row that still holds: the largest number of its column."""


class FilterColumns(msgspec.Struct, frozen=True, gc=False):
    """The columns by which lists filter and order states, as far as these rarely change.

    `commodities` and `places` are those that an entity is about: the place of a figure, the issuer, the
    members, the actors. `category` is the one word that lists of its kind filter by. `commodity`
    and `period` are those of a figure. `title` is what lists order by, `search_text` what a
    search looks in. `other_words` are further words by which it is found: of firms that it names, and
    of what an announcement is about.
    """

    commodities: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    category: str | None = None
    commodity: str | None = None
    period: int | None = None
    title: str | None = None
    search_text: str | None = None
    other_words: tuple[str, ...] = ()


def filter_columns(state: EntityState) -> FilterColumns:
    """The columns of a state."""
    if isinstance(state, FigureState):
        return _series_columns(state.series)
    columns = partial(FilterColumns, title=title(state), search_text=search_text(state))
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
    return columns()


def about_word(entity: str) -> str:
    """The word by which announcements about an entity are found."""
    return f"about/{entity}"


def topic_word(topic: str) -> str:
    """The word by which announcements on a topic are found."""
    return f"topic/{spelling(topic)}"


def firm_words(names: Iterable[str]) -> tuple[str, ...]:
    """Words by which entities that name some firms are found; only further words have a slash."""
    return unique([f"firm/{spelling(name)}" for name in names])


def _series_columns(series: Series) -> FilterColumns:
    """The columns of a figure, the same in all of its states."""
    return FilterColumns(
        (series.commodity,), (series.place,), series.statistic, series.commodity, series.period
    )


def main_date(state: EntityState) -> PartialDate | None:
    """When an entity was announced, founded or made; for a figure, when its newest claim was published."""
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


def sources_json(entity: str, state: EntityState, history: History) -> str:
    """The sources of a state of an entity as lists filter by them, in JSON, each once.

    Those of a figure's claims come first; the first of each claim has the position of the claim.
    """
    if isinstance(state, FigureState):
        facts: tuple[Evidence | Claim, ...] = (*state.claims, *state.judged)
        return f"[{','.join([part for fact in facts for part in _sources_of(fact, None)])}]"
    parts = dict.fromkeys(
        [
            part
            for fact in state.because
            for part in _sources_of(fact, _issuers(entity, fact, state, history))
        ]
    )
    return f"[{','.join(parts)}]"


def _issuers(entity: str, fact: Evidence, state: EntityState, history: History) -> Issuers:
    """The issuers of a fact behind a state."""
    known = history.get(fact.event_id)
    assert known is not None  # whatever is behind a state was recorded
    return issuers_of(entity, known.fact, state)


def _sources_of(fact: Evidence | Claim, issuers: Issuers) -> list[str]:
    """The sources of a fact of these issuers, each as JSON. Whether it is primary and verified is said of
    the fact: one such source among several is enough."""
    if fact.more_sources:
        cited = [cite(source, issuers) for source in fact.sources]
        primary = any(source.is_primary for source in cited)
        verified = any(source.verified for source in cited)
        parts = [_source_json(source, primary, verified) for source in fact.sources]
    else:
        one = fact.source
        parts = [
            _only_source_json(
                one.publisher, one.published_on, one.checked, one.primary, one.url, issuers
            )
        ]
    if isinstance(fact, Claim):
        parts[0] = f'{parts[0][:-1]},"position":{fact.position}}}'
    return parts


@lru_cache(maxsize=4096)
def _only_source_json(
    publisher: str,
    published: PartialDate,
    checked: Checked,
    primary: bool | None,
    url: str | None,
    issuers: Issuers,
) -> str:
    """The JSON of a source that is the only one of its fact; many facts have one that is alike."""
    source = CitedSource(
        publisher=publisher,
        name=publisher,
        published_on=published,
        checked=checked,
        primary=primary,
        url=url,
        issuers=issuers,
    )
    return _source_json(source, source.is_primary, source.verified)


def _source_json(source: Source, primary: bool, verified: bool) -> str:
    return encode(
        {
            "publisher": source.publisher,
            "published": of_date(source.published_on),
            "checked": source.checked,
            "is_primary": primary,
            "verified": verified,
        }
    ).decode()


def clauses_json(state: EntityState) -> str:
    """The clauses of a control as lists filter by them, in JSON: words of the vocabulary and days."""
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


@lru_cache(maxsize=4096)
def of_date(given: PartialDate) -> str:
    """The days that a date may mean."""
    return days(given.first, given.last)


def _span(given: tuple[date, date | None] | None) -> str | None:
    return days(*given) if given else None


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


def search_keys(day: date, state: EntityState) -> dict[object, date]:
    """By what lists and searches find the entity of a state that holds from a day on at the latest: its
    columns, document, publishers."""
    found = document(state)
    publishers = (source.publisher for source in state.sources)
    return dict.fromkeys([filter_columns(state), found.key if found else None, *publishers], day)


def version_rows(delta: RowDelta, search_rows: SearchIndexRows) -> Iterator[Line]:
    """The version rows that a delta adds, one by one, since they may be large.

    By what the entity is found is added to `search_rows`, as far as `delta.search_keys` doesn't have
    it already from as early a day.
    """
    words = _Words(delta.search_keys)
    columns, head, found = FilterColumns(), "", None
    for row in sorted(delta.added, key=_SINCE):
        entity, version, since = row.entity, row.version, row.since
        start, state = version.start, version.state
        if not head or not isinstance(state, FigureState):  # a figure is always about the same
            columns, before, found = filter_columns(state), columns, document(state)
            if not head or columns != before:
                head = _head(entity, columns)
        if found and found.key not in words.known:
            words.known[found.key] = start
            search_rows.add_document(entity, found, since)
        if words.are_news(columns, start):
            for word in _subjects(columns):
                words.add(word, since, start)
            if columns.search_text:
                search_rows.texts.add((_kind(entity), entity, columns.search_text))
        sources = NULL
        if not is_split(version.text):
            sources = sources_json(entity, state, delta.history)
            words.add_publishers(state, since, start)
        day = main_date(state)
        yield (
            f"{head}\t{found.key if found else NULL}\t{of_date(day) if day else NULL}\t{sources}"
            f"\t{clauses_json(state)}\t{_day(start)}\t{_last_day(version.end)}"
            f"\t{since}\t{row.until or OPEN_POSITION}\t{row.generation}"
            f"\t{_newest(version.newest)}\t{version.text}"
        )
    for listed in delta.elements:
        if isinstance(value := listed.element.value, (Evidence, Claim)):
            words.add_publishers(value, listed.since, listed.element.first_day)
    subjects = search_rows.subjects if delta.is_new else search_rows.more_subjects
    subjects += words.lines(delta.entity)


class _Words:
    """Words under which lists find an entity, as far as they do not know them from as early a day:
    since which position it was about each, and from which day on."""

    def __init__(self, known: dict[object, date]):
        self.known = known
        """The keys that lists know, each with its day; see `search_keys`."""
        self._found: dict[str, tuple[int, date]] = {}

    def are_news(self, key: object, day: date) -> bool:
        """Whether what has a key on a day is not known by then; it is from now on."""
        before = self.known.get(key)
        if before is not None and before <= day:
            return False
        self.known[key] = day
        return True

    def add(self, word: str, since: int, day: date) -> None:
        """Take in a word that an entity is about."""
        found = self._found.get(word)
        if found is None:
            self._found[word] = since, day
        elif found[0] > since or found[1] > day:
            self._found[word] = min(found[0], since), min(found[1], day)

    def add_publishers(self, of: EntityState | Evidence | Claim, since: int, day: date) -> None:
        """Take in the publishers of sources."""
        for source in of.sources:
            if self.are_news(source.publisher, day) or source.publisher in self._found:
                self.add(source.publisher, since, day)

    def lines(self, entity: str) -> list[Line]:
        """Their rows."""
        kind = _kind(entity)
        return [
            f"{kind}\t{word}\t{entity}\t{since}\t{_day(day)}"
            for word, (since, day) in self._found.items()
        ]


def _last_day(end: date | None) -> str:
    """The last day before an end; without one there is none."""
    return _day(end - DAY) if end else "infinity"


def _newest(newest: tuple[date, int] | None) -> str:
    """The day and the position of the last fact, as two columns."""
    return f"{NULL}\t{NULL}" if newest is None else f"{_day(newest[0])}\t{newest[1]}"


def element_rows(delta: RowDelta) -> list[Line]:
    """The rows of elements of long lists that a delta adds."""
    return [
        f"{delta.entity}\t{of.list}\t{of.place}\t{_day(of.first_day)}\t{_last_day(of.end)}"
        f"\t{row.since}\t{row.until or OPEN_POSITION}\t{of.text}\t{_source(of) or NULL}"
        for row in delta.elements
        for of in [row.element]
    ]


def _source(element: Element) -> str | None:
    """The sources of an element as lists filter by them, one as itself and several in a list; None
    where they are those of another."""
    if not isinstance(element.value, (Evidence, Claim)):
        return None
    parts = _sources_of(element.value, element.issuers)
    return parts[0] if len(parts) == 1 else f"[{','.join(parts)}]"


_SINCE = attrgetter("since")


def _head(entity: str, of: FilterColumns) -> str:
    """The columns that are the same in most rows of an entity."""
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
    """A JSON array of words; many entities are about the same."""
    return encode(words).decode()


def _kind(entity: str) -> str:
    return entity.partition("/")[0]


def _subjects(of: FilterColumns) -> list[str]:
    """The words by which lists find an entity; '' for all of a kind.

    A figure has none for its commodity, with which its name begins; reserves are of no year.
    """
    if of.commodity:
        return ["", *of.places, *compound_keys(of.commodities, [of.period])]
    pairs = compound_keys(of.commodities, of.places)
    return ["", *of.commodities, *of.places, *pairs, *of.other_words]


def compound_keys(some: Iterable[str], others: Sequence[object]) -> list[str]:
    """Words for what is about two things at once."""
    return [f"{one} {other}" for one in some for other in others]


def unique(words: Iterable[str]) -> tuple[str, ...]:
    """The words without repetitions, in their order."""
    return tuple(dict.fromkeys(words))
