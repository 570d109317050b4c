"""As-of questions: the states that held on a day, as known at a position."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg

from projections.analysis.claims import Orders
from projections.analysis.exposure import (
    ExportClauses,
    Exposure,
    Question,
    exposures,
    yearly_supplies,
)
from projections.fold.replay import line
from projections.query.all_versions import AllVersions
from projections.query.controls import Controls
from projections.query.event_cache import MAX_CACHED_MOMENTS, EventCache
from projections.query.facts import Facts
from projections.query.horizon import Horizons
from projections.query.list_statements import ENTITIES_BY_NAMES
from projections.query.lists import (
    EVERYTHING,
    WHOLE,
    Days,
    Filter,
    Key,
    KeyRange,
    Lists,
    figures_of,
    ranged,
)
from projections.query.moment import Moment, S, kind_name
from projections.query.schedules import Schedules
from projections.query.search import Searches
from projections.query.series import MomentSeries
from projections.query.sql_parts import (
    fill,
    load_parts,
    version_at,
    versions_in,
    versions_of,
    whole_state,
)
from projections.query.supplies import Supplies
from projections.query.transitions import Transitions
from projections.runner.progress import ProgressTracker
from projections.runner.tables import SQL as TRACKING
from projections.versions.projection import Versions
from projections.versions.rows import OPEN_POSITION, compound_keys
from tracker.domain.codec import decode
from tracker.domain.commodities import Commodity, descendants
from tracker.domain.export_control import ExportControlState
from tracker.domain.figure import FigureState
from tracker.domain.firm import FirmState, spelling
from tracker.domain.matching import controls_about
from tracker.domain.places import Place
from tracker.domain.preference import PreferenceState
from tracker.domain.registry import STATES, State, entity_type
from tracker.domain.vocabulary import Direction
from tracker.errors import InvalidInput
from tracker.log.recorder import Recorder
from tracker.postgres.database import Pool, pool_usage

SQL = load_parts(Path(__file__).with_name("as_of.sql"))
PREFETCH_ROWS = 1000
MAX_PAGE_STATE_BYTES = 256 * 1024
"""JSON of states on one page of a history: those of an entity with many events are large."""
HISTORY_ARGUMENTS = 7
"""Of the query for a history, before those of its bounds."""
Times: TypeAlias = tuple[datetime | None, datetime | None]
"""The first and the last moment of a time; None: it is open there."""
STATE = fill(
    SQL.state, version=version_at("$1::text", "$2::date", "$3::bigint"), whole=whole_state()
)
STATES_IN = fill(
    SQL.states_in,
    versions=versions_in("$1::text", "$2::date", "$4::date", "$3::bigint"),
    whole=whole_state(),
)
SORT_TIMEOUT_SECONDS = 600
"""Seconds that the database gets to put a whole state in order, before the first line."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A state that an entity had: the days on which it held, and the positions that said so.

    The last ones belong to them; None: it still holds, or is what the log says. `recorded_at` and
    `replaced_at` are when the events at the first position, and behind the last, were recorded.
    """

    valid_from: date
    valid_until: date | None
    known_from: int
    known_until: int | None
    recorded_at: datetime
    replaced_at: datetime | None
    state: State | None
    """None where the states before it on a page are too large to be followed by another."""


PLANNED_ONCE = {"plan_cache_mode": "force_generic_plan"}
"""Settings of connections for these questions: there is one good plan for each, a look-up an
entity, and planning it anew takes longer than the look-ups."""


class AsOf:
    """Answers as-of questions from the version rows."""

    def __init__(self, pool: Pool, recorder: Recorder, progress: ProgressTracker | None = None):
        self._pool = pool
        self._recorder = recorder
        self._progress = progress
        self._orders = EventCache(progress, MAX_CACHED_MOMENTS, self._read_orders)
        self.lists = Lists(pool, progress)
        self.controls = Controls(self.lists, progress)
        self.horizons = Horizons(pool, self.lists, progress)
        self.facts = Facts(pool, recorder, progress)
        self.transitions = Transitions(pool, recorder)
        self.schedules = Schedules(pool, recorder)
        self.supplies = Supplies(pool, progress)
        self.all_versions = AllVersions(pool)
        self.searches = Searches(pool, self.named, progress)

    @property
    def connections(self) -> tuple[int, int]:
        """How many connections of the pool are at work, and how many there may be."""
        return pool_usage(self._pool)

    async def resolve(
        self,
        valid_at: date | None = None,
        known_at: datetime | None = None,
        position: int | None = None,
    ) -> Moment:
        """The moment that a question means, of those that have been projected: see `resolve_moment`."""
        reached = await self._reached(position)
        return await resolve_moment(self._recorder, reached, valid_at, known_at, position)

    async def _reached(self, position: int | None) -> int:
        """How far the projection has come, looked up where a position is asked for ahead of that."""
        known = self._progress.known if self._progress else None
        if known and (position or 0) <= known.position:
            return known.position
        if self._progress:
            return await self._progress.query()
        return int(await self._pool.fetchval(TRACKING.position, Versions.name))

    async def digest(self, moment: Moment) -> str:
        """The SHA-256 of the whole state at a moment; equal to that of a replay in memory."""
        query = _statement(SQL.digest, SQL.every_entity)
        return str(await self._pool.fetchval(query, list(STATES), *_at(moment)))

    async def counts(self, moment: Moment) -> dict[str, int]:
        """How many entities of each kind have a state at a moment."""
        query = _statement(SQL.counts, SQL.every_entity)
        rows = await self._pool.fetch(query, list(STATES), *_at(moment))
        return dict.fromkeys(STATES, 0) | {row["kind"]: row["count"] for row in rows}

    async def lines(self, moment: Moment) -> AsyncIterator[bytes]:
        """The whole state at a moment as JSON lines in canonical order, a page in memory at a time.

        Its SHA-256 is `digest`.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            query = _statement(SQL.states, SQL.every_entity)
            async for row in connection.cursor(
                query,
                list(STATES),
                *_at(moment),
                prefetch=PREFETCH_ROWS,
                timeout=SORT_TIMEOUT_SECONDS,
            ):
                yield line(row["entity"], row["state"])

    async def state(self, kind: type[S], id: str, moment: Moment) -> S | None:
        """The state of one entity, or None while there is none."""
        entity = f"{kind_name(kind)}/{id}"
        if moment.series:
            return await self._state_on(moment, moment.series, kind, entity)
        row = await self._pool.fetchrow(STATE, entity, *_at(moment))
        return decode(kind, row["state"]) if row else None

    async def _state_on(
        self, moment: Moment, series: MomentSeries, kind: type[S], entity: str
    ) -> S | None:
        """The state of one entity, read together with those of all moments of a series."""

        async def states() -> dict[date, list[S]]:
            rows = await self._pool.fetch(
                STATES_IN, entity, series.first, series.position, series.last
            )
            return series.by_day(
                (row["first_day"], row["last_day"], decode(kind, row["state"])) for row in rows
            )

        found = (await series.read(entity, states))[moment.valid_at]
        return found[0] if found else None

    async def named(self, entities: Sequence[str], moment: Moment) -> dict[str, State]:
        """The states of some entities by their names, without those that have none."""
        query = _statement(SQL.named, SQL.entities_named)
        rows = await self._pool.fetch(query, entities, *_at(moment))
        return {
            row["entity"]: decode(STATES[entity_type(row["entity"]).KIND], row["state"])
            for row in rows
        }

    async def states(
        self,
        kind: type[S],
        moment: Moment,
        filter: Filter = EVERYTHING,
        *,
        limit: int | None = None,
    ) -> list[S]:
        """The states of a kind in the order of their names, at most `limit`."""
        found = await self.lists.page(kind, moment, filter, span=KeyRange(limit=limit))
        return [state for _, state in found]

    async def figures(
        self, commodities: Sequence[str], periods: Sequence[int | None], moment: Moment
    ) -> list[FigureState]:
        """The figures of some commodities for some years; None: their reserves, which have none."""
        words = compound_keys(commodities, periods)
        return await self.states(FigureState, moment, Filter(about=words))

    async def orders(self, moment: Moment) -> list[PreferenceState]:
        """The orders of publishers, by which to choose among the claims of the same moment.

        They are few, and nearly every question about figures needs them.
        """
        if moment.series:
            return (await self._orders_on(moment.series))[moment.valid_at]
        return await self._orders.get(moment)

    async def _read_orders(self, moment: Moment) -> list[PreferenceState]:
        return await self.states(PreferenceState, moment)

    async def _orders_on(self, series: MomentSeries) -> Mapping[date, list[PreferenceState]]:
        """Those on each day of a series; the same object where they are the same."""

        async def orders() -> dict[date, list[PreferenceState]]:
            days = await self.lists.on_each_day(PreferenceState, series)
            made: dict[tuple[int, ...], list[PreferenceState]] = {}
            return {
                day: made.setdefault(tuple(map(id, states)), states) for day, states in days.items()
            }

        return await series.read(PreferenceState, orders)

    async def firm_spellings(self, name: str, moment: Moment) -> frozenset[str]:
        """A name of a firm or its key, and all other names of the firms that are known by it."""
        wanted = spelling(name)
        keys = {wanted, wanted.removeprefix(f"{kind_name(FirmState)}/")}
        firms = await self.states(FirmState, moment)
        known = (of.spellings for of in firms if of.id in keys or wanted in of.spellings)
        return frozenset({wanted}).union(*known)

    async def exposures(
        self,
        asked: Question,
        orders: Orders,
        moment: Moment,
        *,
        destinations: Sequence[Place | None],
        year: int | None = None,
    ) -> list[list[Exposure]]:
        """Which supply is under which export controls, toward each of some destinations (None: any),
        in a year or in the last one for which there are figures; see `projections.analysis.exposure`.
        """
        controls = await self.states(
            ExportControlState,
            moment,
            Filter(
                commodities=asked.commodity and controls_about([asked.commodity]),
                places=asked.issuer and [asked.issuer],
                category=Direction.EXPORT,
            ),
        )
        questions = [replace(asked, destination=destination) for destination in destinations]
        clauses = ExportClauses(controls)
        named = set[Commodity]()
        for question in questions:
            named.update(clauses.subjects(question))
            await asyncio.sleep(0)  # each question takes a while: others get their turn
        wanted = {below for one in named for below in descendants(one)}
        rows = await self._pool.fetch(
            _statement(SQL.yearly_output, ENTITIES_BY_NAMES),
            kind_name(FigureState),
            *_at(moment),
            figures_of(sorted(wanted)),
            year,
        )
        spread = yearly_supplies((decode(FigureState, row["state"]) for row in rows), orders)
        found = []
        for question in questions:
            found.append(exposures(question, clauses, spread))
            await asyncio.sleep(0)
        return found

    async def history(
        self,
        entity: str,
        *,
        valid: Days | None = None,
        known: Times = (None, None),
        types: Sequence[str] | None = None,
        span: KeyRange = WHOLE,
    ) -> list[HistoryRow]:
        """All versions of an entity on both axes, the oldest knowledge first; if asked, only those
        that hold on one of some days, were known at some time from one to another, and begin with
        events of some types.

        The keys of a span are a position and a day in ISO 8601. Where it has a limit, states come
        up to `MAX_PAGE_STATE_BYTES`, and always that of the first version; others are None.
        """
        kind = STATES[entity_type(entity).KIND]
        most = None if span.limit is None else MAX_PAGE_STATE_BYTES
        bounds = [
            part
            for position, day in _keys(span)
            for part in (position, date.fromisoformat(str(day)))
        ]
        rows = await self._pool.fetch(
            _history(span.after is not None, span.before is not None, span.from_end, span.closed),
            entity,
            ranged(valid),
            *known,
            types,
            span.limit,
            most or OPEN_POSITION,
            *bounds,
        )
        found = [_history_row(row, kind) for row in rows]
        return found[::-1] if span.from_end else found

    async def count_history(
        self,
        entity: str,
        *,
        valid: Days | None = None,
        known: Times = (None, None),
        types: Sequence[str] | None = None,
        until: int | None = None,
    ) -> int:
        """How many versions `history` has without a span; if asked, only those known by a position."""
        query = fill(SQL.history_count, versions=SQL.history_versions)
        return int(await self._pool.fetchval(query, entity, ranged(valid), *known, types, until))


@cache
def _statement(query: str, entities: str) -> str:
    """A query for the states of the entities of another one, at a moment."""
    return fill(query, versions=versions_of(entities), whole=whole_state())


def _keys(span: KeyRange) -> list[Key]:
    return [key for key in (span.after, span.before) if key is not None]


@cache
def _history(after: bool, before: bool, from_end: bool, closed: bool) -> str:
    """The query for a span of a history; the arguments of its bounds come behind the others."""
    bounds, number = [], HISTORY_ARGUMENTS
    for wanted, bound, sign in ((after, SQL.history_after, ">"), (before, SQL.history_before, "<")):
        if wanted:
            since, day = f"${number + 1}", f"${number + 2}"
            bounds.append(fill(bound, sign=sign + "=" * closed, since=since, day=day))
            number += 2
    return fill(
        SQL.history,
        versions=SQL.history_versions,
        whole=whole_state(),
        size=SQL.state_size,
        bounds="\n".join(bounds),
        way="DESC" if from_end else "ASC",
    )


async def resolve_moment(
    recorder: Recorder,
    reached: int,
    valid_at: date | None,
    known_at: datetime | None,
    position: int | None,
) -> Moment:
    """The moment that arguments mean; by default today and the position `reached`.

    Raises InvalidInput when both `known_at` and `position` are given, or the position is ahead of
    the one reached.
    """
    if known_at is not None and position is None:
        position, known_at = min(reached, await recorder.position_at(known_at)), None
    return moment_at_position(reached, valid_at, known_at, position)


def moment_at_position(
    reached: int, valid_at: date | None, known_at: datetime | None, position: int | None
) -> Moment:
    """The moment by a position alone: the one reached where none is given. Raises as `resolve_moment`."""
    if known_at is not None and position is not None:
        raise InvalidInput(
            "expected knownAt or position, not both: each of them chooses the transaction time",
            code="AMBIGUOUS_TIME",
            path=("knownAt",),
        )
    if position is None:
        position = reached
    if not 0 <= position <= reached:
        raise InvalidInput(
            f"expected a position from 0 to {reached}, the last one",
            code="POSITION_AHEAD",
            path=("position",),
        )
    return Moment(valid_at or datetime.now(UTC).date(), position)


def _at(moment: Moment) -> tuple[date, int]:
    return moment.valid_at, moment.position


def _history_row(row: asyncpg.Record, kind: type[Any]) -> HistoryRow:
    last_day, until = row["last_day"], row["until"]
    return HistoryRow(
        row["first_day"],
        None if last_day == date.max else last_day,
        row["since"],
        until and until - 1,
        row["recorded_at"],
        row["replaced_at"],
        None if row["state"] is None else decode(kind, row["state"]),
    )
