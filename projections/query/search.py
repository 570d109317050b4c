"""Full-text search at a moment, best results first.

A control matches if a clause of it has all terms that the search names (goods, a place, a measure). Any
other entity matches if it has each of the words. The words may be in its state, in a note or quotation of
an event behind that state, or in the names of a figure's series. If nothing has all words, similar
words count too. Results and ranks depend only on the log up to the position.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from projections.query.event_cache import EventCache
from projections.query.figure_words import NO_FIGURES, begins_name, figure_query, near_names
from projections.query.lists import Key, Keyed, KeyRange
from projections.query.moment import Moment
from projections.query.search_matches import SoughtWord, nearest, sought_words
from projections.query.search_terms import ParsedSearch, Term, parse_search
from projections.query.sought_controls import FittingControls, SoughtControls, with_controls
from projections.query.sql_parts import fill, load_parts, versions_of
from projections.runner.folds import OwnFolds
from projections.runner.progress import ProgressTracker
from projections.search_index.projection import SearchIndex
from projections.words import can_be_corrected, codes_above, other_spellings, trigrams, words
from tracker.domain.basics.control_vocabulary import Measure
from tracker.domain.controls.export_control import ExportControl
from tracker.domain.controls.obligation import Obligation
from tracker.domain.entities.entity import EntityState
from tracker.domain.events.registry import State
from tracker.domain.figures.figure import Figure
from tracker.errors import Unavailable
from tracker.log.recorder import StreamRange
from tracker.postgres.database import Connection, Pool

StateReader: TypeAlias = Callable[[Sequence[str], Moment], Awaitable[Mapping[str, State]]]
"""A reader of the states of some entities at a moment."""

SQL = load_parts(Path(__file__).with_name("search.sql"))
INDEX_TIMEOUT_SECONDS = 10
"""Maximum seconds for which a search waits for the search index."""
INDEX_CHECK_SECONDS, MAX_INDEX_CHECK_SECONDS = 0.01, 0.25
"""Seconds between the first checks of the position of the search index, and between later ones."""
MAX_RESULTS = 1000
"""Maximum of entities per search."""
MAX_EVENTS = 10_000
"""Maximum of events per search: the newest."""
MAX_TEXTS = 10_000
"""Maximum of notes and quotations read per word: the newest."""
MAX_FIGURES = 2000
"""Maximum of figures read per commodity or place."""
MAX_CACHED_SEARCHES = 100
"""Maximum of searches cached until the next event."""
MAX_CANDIDATES = 50
"""Maximum of words considered as a correction of another."""
MAX_CORRECTIONS = 10
"""Maximum of corrections of a misspelt word."""
ANNEX_WEIGHT_PERCENT = 2
"""Weight of a word that only a note or quotation has: less than the lowest weight in a state."""
FIGURE_WEIGHT_PERCENT, ASKED_FIGURE_WEIGHT_PERCENT = 1, 1000
"""Weight of each word that finds a figure, which exists for many years; and in a search for a statistic."""
ABBREVIATION_LETTERS = 3
"""Maximum length of a word that may be an abbreviation and a prefix of many words: `UK` is not Ukraine."""
BEGUN_WEIGHT_PERCENT = 5
"""Weight of such a word as a prefix, relative to the full word: less than the lowest weight of a full
word."""
OBLIGATION_SHARE = 0.5
"""Share of the rank that an obligation keeps, because it repeats the name of its act."""
NAME_WEIGHT_PERCENT = 100
"""Bonus for a name or key that equals the search text."""


def _annexes(until: str) -> str:
    return fill(SQL.annexes, asked=SQL.asked, until=until, most=str(MAX_TEXTS))


def _figures_named(beginnings: str, subjects: str, expressions: str, by_day: str = "") -> str:
    return fill(
        SQL.figures_named,
        beginnings=beginnings,
        subjects=subjects,
        expressions=expressions,
        by_day=by_day,
        most=str(MAX_FIGURES),
    )


UNTIL = "<= $3::bigint"
ENTITIES_SAYING = fill(SQL.entities_saying, asked=SQL.asked, annexes=_annexes(UNTIL))
FOUND = fill(
    SQL.found,
    versions=versions_of(ENTITIES_SAYING),
    asked=SQL.asked,
    classes=SQL.classes,
    abbreviation=str(ABBREVIATION_LETTERS),
    begun=str(BEGUN_WEIGHT_PERCENT / 100),
)
ANNEXES_SAYING = fill(SQL.annexes_saying, annexes=_annexes(UNTIL))
FIGURES = fill(
    SQL.figures,
    versions=versions_of(_figures_named("$1", "$4", "$5", " AND first_day <= $2::date")),
)
EVENT_POSITIONS = fill(
    SQL.event_positions,
    positions=fill(
        SQL.positions_saying,
        asked=SQL.asked,
        annexes=_annexes("< $3::bigint"),
        figures=_figures_named("$1", "$6", "$7"),
    ),
)


class SearchQuery(Struct, frozen=True):
    """A search: words, and the kinds, commodities and places of the results."""

    text: str
    kinds: tuple[str, ...]
    commodities: tuple[str, ...] | None = None
    places: tuple[str, ...] | None = None


class SearchAnswer(Struct, frozen=True):
    """The interpreted words, and the ranked entities, best first.

    If no control has all terms of a search: the terms that the nearest ones lack.
    """

    sought: tuple[SoughtWord, ...]
    ranked: tuple[tuple[float, str], ...]
    search: ParsedSearch
    missing: tuple[Term, ...] = ()
    nearest: tuple[str, ...] = ()


class EventRange(Struct, frozen=True):
    """A range of events between two positions (exclusive), of some types, in some streams."""

    after: int
    before: int
    types: Sequence[str] | None = None
    streams: Sequence[StreamRange] | None = None


class Searches:
    """Search queries."""

    def __init__(
        self,
        pool: Pool,
        read_states: StateReader,
        progress: ProgressTracker | None = None,
        controls: SoughtControls | None = None,
    ):
        self._pool, self._controls = pool, controls
        self._read_states = read_states
        self._folds = progress.folds if progress else OwnFolds([SearchIndex()])
        self._answers = EventCache(progress, MAX_CACHED_SEARCHES, self._read)

    async def answer(self, query: SearchQuery, moment: Moment) -> SearchAnswer:
        """Return all results of a search."""
        return await self._answers.get((query, moment.alone))

    async def _read(self, key: tuple[SearchQuery, Moment]) -> SearchAnswer:
        query, moment = key
        search, sought = parse_search(query.text), _sought(query.text)
        is_whole = not search.has_rest and search.code is None
        found, fitting = await asyncio.gather(
            self._find(query, moment, sought), self._find_controls(search, query, moment)
        )
        if not found:
            corrected = await self._correct(sought, moment.position)
            if corrected != sought:
                sought = corrected
                found = await self._find(query, moment, sought)
        if fitting is not None:
            found = with_controls(found, fitting, search)[:MAX_RESULTS]
            fitting = fitting if found else fitting.without_words(search.rest)
        is_answered = found and not (search.is_strict and (is_whole or search.of_kind(Measure)))
        if fitting is None or is_answered:
            fitting = FittingControls()
        answer = SearchAnswer(
            tuple(await self._with_stems(sought)),
            tuple(found),
            search,
            fitting.missing,
            fitting.nearest,
        )
        await self.index_position()  # another release may have replaced the rows meanwhile
        return answer

    async def _find_controls(
        self, search: ParsedSearch, query: SearchQuery, moment: Moment
    ) -> FittingControls | None:
        """Return the controls with all names in a search; None if it is about other words."""
        has_names = search.is_strict or (
            search.commodities and not search.has_rest and search.code is None
        )
        if not self._controls or not has_names or ExportControl.KIND not in query.kinds:
            return None
        return await self._controls.find(search, moment, query.commodities, query.places)

    async def event_positions(self, text: str, wanted: EventRange) -> list[int]:
        """Return the positions of the events with some words, in order."""
        sought = _sought(text)
        found = await self._find_events(sought, wanted)
        if not found:
            corrected = await self._correct(sought, wanted.before - 1)
            if corrected != sought:
                found = await self._find_events(corrected, wanted)
        await self.index_position()
        return found

    async def reach(self, position: int) -> None:
        """Wait until the search index has a position. Raises Unavailable after a timeout."""
        async with self._indexed(position):
            pass

    async def index_position(self) -> int:
        """Return the position of the search index. Raises AnotherRelease."""
        return await self._folds.position(self._pool, SearchIndex.name)

    @asynccontextmanager
    async def _indexed(self, position: int) -> AsyncIterator[Connection]:
        """Return a connection to a database whose search index has a position.

        So a search never answers from older rows, whichever server it reads from. Raises Unavailable
        after a timeout, and AnotherRelease.
        """
        loop = asyncio.get_running_loop()
        deadline, seconds = loop.time() + INDEX_TIMEOUT_SECONDS, INDEX_CHECK_SECONDS
        while True:
            async with self._pool.acquire() as connection:
                reached = await self._folds.position(connection, SearchIndex.name)
                if reached >= position:
                    yield connection
                    return
            if loop.time() > deadline:
                raise Unavailable(
                    f"The search index is at position {reached} and did not reach {position} in"
                    f" {INDEX_TIMEOUT_SECONDS} seconds; try again",
                    code="SEARCH_NOT_READY",
                )
            await asyncio.sleep(seconds)
            seconds = min(2 * seconds, MAX_INDEX_CHECK_SECONDS)

    async def _fetch(self, position: int, statement: str, *arguments: Any) -> list[Any]:
        """Return the rows of a statement that reads the search index."""
        async with self._indexed(position) as connection:
            return list(await connection.fetch(statement, *arguments))

    async def _find_events(self, sought: Sequence[SoughtWord], wanted: EventRange) -> list[int]:
        figures = figure_query([one.spellings for one in sought]) or NO_FIGURES
        about = wanted.streams
        rows = await self._fetch(
            wanted.before - 1,
            EVENT_POSITIONS,
            figures.beginnings,
            wanted.after,
            wanted.before,
            *_tsqueries(sought),
            figures.subjects,
            figures.expressions,
            wanted.types,
            None if about is None else [one.low for one in about],
            None if about is None else [one.high for one in about],
            None if about is None else [one.since for one in about],
            MAX_EVENTS,
        )
        return [row["position"] for row in rows]

    async def _find(
        self, query: SearchQuery, moment: Moment, sought: Sequence[SoughtWord]
    ) -> list[tuple[float, str]]:
        """Return the entities that have all words, with their ranks."""
        saying = await self._find_saying(query, moment, sought)
        figures = await self._find_figures(query, moment, sought)
        asked = parse_search(query.text).statistic
        weight = ASKED_FIGURE_WEIGHT_PERCENT if asked else FIGURE_WEIGHT_PERCENT
        ranks = dict.fromkeys(figures, weight / 100) | saying
        found = sorted((-rank, entity) for entity, rank in ranks.items())
        return [(-rank, entity) for rank, entity in found[:MAX_RESULTS]]

    async def _find_saying(
        self, query: SearchQuery, moment: Moment, sought: Sequence[SoughtWord]
    ) -> dict[str, float]:
        """Return the entities whose states, notes and quotations have the words."""
        rows = await self._fetch(
            moment.position,
            FOUND,
            query.kinds,
            moment.valid_at,
            moment.position,
            *_tsqueries(sought),
            query.commodities,
            query.places,
            MAX_RESULTS,
        )
        weights = {row["entity"]: row["weights"] for row in rows}
        partly = [entity for entity, each in weights.items() if 0 in each]
        in_annexes = await self._words_in_annexes(partly, moment, sought)
        name = words(query.text)
        ranks: dict[str, float] = {}
        for row in rows:
            entity, each = row["entity"], row["weights"]
            annexed = in_annexes.get(entity, set())
            full = [
                weight or (ANNEX_WEIGHT_PERCENT / 100 if number in annexed else 0)
                for number, weight in enumerate(each, 1)
            ]
            if all(full):
                is_named = not entity.startswith("coverage/") and name in (
                    (row["title"] or "").split(),
                    words(entity.partition("/")[2]),
                )
                weight = sum(full) / len(full) + NAME_WEIGHT_PERCENT / 100 * is_named
                share = OBLIGATION_SHARE if entity.startswith(f"{Obligation.KIND}/") else 1
                ranks[entity] = round(weight * share, 6)
        return ranks

    async def _words_in_annexes(
        self, entities: Sequence[str], moment: Moment, sought: Sequence[SoughtWord]
    ) -> dict[str, set[int]]:
        """Return the numbers of the words in notes and quotations of some entities.

        Only events that are effective at the moment count, not retracted or later ones.
        """
        if not entities:
            return {}
        at = moment.valid_at, moment.position
        rows = await self._pool.fetch(ANNEXES_SAYING, entities, *at, *_tsqueries(sought))
        states = await self._read_states(sorted({row["entity"] for row in rows}), moment)
        positions = {name: positions_behind(state) for name, state in states.items()}
        found: dict[str, set[int]] = {}
        for row in rows:
            if row["position"] in positions.get(row["entity"], ()):
                found.setdefault(row["entity"], set()).add(row["number"])
        return found

    async def _find_figures(
        self, query: SearchQuery, moment: Moment, sought: Sequence[SoughtWord]
    ) -> list[str]:
        """Return the figures whose series the words name."""
        asked = figure_query([one.spellings for one in sought])
        if asked is None or Figure.KIND not in query.kinds:
            return []
        rows = await self._pool.fetch(
            FIGURES,
            asked.beginnings,
            moment.valid_at,
            moment.position,
            asked.subjects,
            asked.expressions,
            query.commodities,
            query.places,
            MAX_RESULTS,
        )
        return [row["entity"] for row in rows]

    async def _correct(self, sought: Sequence[SoughtWord], position: int) -> list[SoughtWord]:
        """Return the words with corrections for unknown ones.

        Corrections come from the log up to the position and from the names of commodities and places. A
        code also matches the codes above it.
        """
        asked = [one.word for one in sought if can_be_corrected(one.word)]
        parts = [f"{{{','.join(trigrams(word))}}}" for word in asked]
        rows = await self._fetch(position, SQL.near_words, asked, parts, position, MAX_CANDIDATES)
        unknown = {row["asked"] for row in rows if not begins_name(row["asked"])}
        candidates = {word: set(near_names(word)) for word in unknown}
        for row in rows:
            if row["word"] and row["asked"] in unknown:
                candidates[row["asked"]].add(row["word"])
        near = {one: nearest(one, words, MAX_CORRECTIONS) for one, words in candidates.items()}
        return [
            SoughtWord(one.word, near=(*one.near, *near.get(one.word, ()), *codes_above(one.word)))
            for one in sought
        ]

    async def _with_stems(self, sought: Sequence[SoughtWord]) -> list[SoughtWord]:
        stems = await self._pool.fetchval(SQL.stems, [one.word for one in sought])
        return [
            SoughtWord(one.word, stem, one.near) for one, stem in zip(sought, stems, strict=True)
        ]


def positions_behind(state: EntityState) -> frozenset[int]:
    """Return the positions of the events behind a state."""
    return frozenset(fact.position for fact in state.because)


def slice_answer(answer: SearchAnswer, span: KeyRange) -> Sequence[Keyed[str]]:
    """Return the entities in a span of a result, each with its rank and name as key."""

    def place(key: Key) -> tuple[float, str]:
        return -float(key[0]), str(key[1])

    within = [
        ((repr(rank), entity), entity)
        for rank, entity in answer.ranked
        if (span.after is None or _is_behind((-rank, entity), place(span.after), span.closed))
        and (span.before is None or _is_behind(place(span.before), (-rank, entity), span.closed))
    ]
    if span.limit is None:
        return within
    return within[max(len(within) - span.limit, 0) :] if span.from_end else within[: span.limit]


def _sought(text: str) -> list[SoughtWord]:
    """Return the words of a text without those of questions."""
    search = parse_search(text)
    text = text if search.code else search.words or text
    return [SoughtWord(word, near=other_spellings(word)) for word in sought_words(text)]


def _is_behind(place: tuple[float, str], bound: tuple[float, str], closed: bool) -> bool:
    return place > bound or (closed and place == bound)


def _tsqueries(sought: Iterable[SoughtWord]) -> tuple[list[str], list[str]]:
    """Return the words as `to_tsquery` reads them: exactly, and as prefixes.

    Corrections must match exactly. Ideographs match exactly in their order, and as prefixes in any
    order, because their words are not separated.
    """
    exactly = [" <-> ".join(f"'{sign}'" for sign in one.signs or [one.word]) for one in sought]
    begun = [
        " & ".join(f"'{sign}'" for sign in one.signs)
        or " | ".join([f"'{one.word}':*", *(f"'{near}'" for near in one.near)])
        for one in sought
    ]
    return exactly, begun
