"""As-of queries: states on an effective date, as recorded at a position."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from projections.fold.replay import line
from projections.lru_cache import SizedLruCache
from projections.query.all_versions import AllVersions
from projections.query.confirmations import Confirmations
from projections.query.controls import Controls
from projections.query.coverage import Coverages
from projections.query.dependence import Dependence
from projections.query.event_cache import MAX_CACHED_MOMENTS, EventCache
from projections.query.exposures import Exposures
from projections.query.facts import Facts
from projections.query.histories import Histories
from projections.query.horizon import Horizons
from projections.query.last_events import LastEvents
from projections.query.lists import EVERYTHING, Filter, KeyRange, Lists
from projections.query.moment import Moment, MomentSeries, S, kind_name, resolve_moment
from projections.query.schedules import Schedules
from projections.query.search import Searches
from projections.query.shipments import Shipments
from projections.query.sought_controls import SoughtControls
from projections.query.sql_parts import (
    fill,
    load_parts,
    version_at,
    versions_in,
    versions_of,
    whole_state,
)
from projections.query.stored_states import decode
from projections.query.supplies import Supplies
from projections.query.tariffs import Tariffs
from projections.query.transitions import Transitions
from projections.runner.progress import ProgressTracker
from projections.runner.tables import SQL as TRACKING
from projections.versions.projection import Versions
from projections.versions.rows import compound_keys
from tracker.domain.actors.firm import FirmState, spelling
from tracker.domain.controls.text import TextState
from tracker.domain.events.registry import STATES, State, entity_type
from tracker.domain.figures.figure import FigureState
from tracker.domain.figures.preference import PreferenceState
from tracker.errors import Unavailable
from tracker.log.recorder import Recorder
from tracker.postgres.database import CONNECTION_ERRORS, Pool, pool_usage

if TYPE_CHECKING:
    from projections.query.statements import Statements

SQL = load_parts(Path(__file__).with_name("as_of.sql"))
PREFETCH_ROWS = 1000
PROJECTION_TIMEOUT_SECONDS = 5
"""Maximum seconds for which a query waits until a position of the log is projected."""
PROJECTION_CHECK_SECONDS = 0.02
STATE = fill(
    SQL.state, version=version_at("$1::text", "$2::date", "$3::bigint"), whole=whole_state()
)
STATES_IN = fill(
    SQL.states_in,
    versions=versions_in("$1::text", "$2::date", "$4::date", "$3::bigint"),
    whole=whole_state(),
)
MAX_DIGEST_BYTES = 2 * 1024 * 1024
"""Memory for digests. The computation of one reads a whole state."""
SORT_TIMEOUT_SECONDS = 600
"""Timeout in seconds for sorting a whole state, before the first line arrives."""


PLANNED_ONCE = {"plan_cache_mode": "force_generic_plan"}
"""Connection settings for these queries. Each has one good plan, an index lookup per entity; planning
again takes longer than the lookups."""


class AsOf:
    """As-of queries on the version rows."""

    def __init__(self, pool: Pool, recorder: Recorder, progress: ProgressTracker | None = None):
        self._pool = pool
        self._recorder = recorder
        self._progress = progress
        self._orders = EventCache(progress, MAX_CACHED_MOMENTS, self._read_orders)
        self._firms = EventCache(progress, MAX_CACHED_MOMENTS, self._read_firms)
        self._texts = EventCache(progress, MAX_CACHED_MOMENTS, self._read_texts)
        self._digests: SizedLruCache[tuple[date, int], str] = SizedLruCache(MAX_DIGEST_BYTES)
        self.lists = Lists(pool, progress)
        self.coverages = Coverages(self.lists, progress)
        self.confirmations = Confirmations(pool, self.coverages, progress)
        self.controls = Controls(self.lists, recorder, self.confirmations, progress)
        self.horizons = Horizons(pool, self.lists, progress)
        self.facts = Facts(pool, recorder, progress)
        self.transitions = Transitions(pool, recorder)
        self.schedules = Schedules(pool, recorder)
        self.supplies = Supplies(pool, progress)
        self.all_versions = AllVersions(pool)
        self.histories = Histories(pool)
        self.last_events = LastEvents(pool)
        self.exposures = Exposures(pool, self.lists, self.confirmations, progress)
        self.tariffs = Tariffs(self.lists, progress)
        self.dependence = Dependence(self.lists, self.confirmations, self.exposures)
        self.shipments = Shipments(
            self.controls,
            self.confirmations,
            self.coverages,
            self.transitions,
            self.tariffs,
            self.exposures,
            self.firm_spellings,
            progress,
        )
        sought = SoughtControls(self.lists, self.exposures, self.confirmations)
        self.searches = Searches(pool, self.named, progress, sought)

    @cached_property
    def statements(self) -> Statements:
        """Checks of sentences."""
        from projections.query.statements import Statements  # here, as it would delay every start

        return Statements(self.lists, self.confirmations)

    @property
    def connections(self) -> tuple[int, int]:
        """Number of connections in use, and the size of the pool."""
        return pool_usage(self._pool)

    async def resolve(
        self,
        valid_at: date | None = None,
        known_at: datetime | None = None,
        position: int | None = None,
    ) -> Moment:
        """Return the moment for the arguments, limited to projected positions: see `resolve_moment`.

        A position of the log that is not yet projected, such as one that `head` returned, is waited for.
        Raises Unavailable after a timeout.
        """
        reached = await self._reached(position)
        if position is not None and reached < position <= await self._recorder.head():
            reached = await self._wait_for(position)
        return await resolve_moment(self._recorder, reached, valid_at, known_at, position)

    async def _reached(self, position: int | None) -> int:
        """Return the position of the projection; query it only if `position` is after the cached one."""
        known = self._progress.known if self._progress else None
        if known and (position or 0) <= known.position:
            return known.position
        if self._progress:
            return await self._progress.query()
        return int(await self._pool.fetchval(TRACKING.position, Versions.name))

    async def _wait_for(self, position: int) -> int:
        """Wait until a position is projected, and return the position of the projection."""
        deadline = time.monotonic() + PROJECTION_TIMEOUT_SECONDS
        while (reached := await self._reached(position)) < position:
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"Position {position} is recorded, but it was not projected in"
                    f" {PROJECTION_TIMEOUT_SECONDS} seconds: try again",
                    code="POSITION_NOT_REACHED",
                    path=("position",),
                )
            await asyncio.sleep(PROJECTION_CHECK_SECONDS)
        return reached

    async def digest(self, moment: Moment) -> str:
        """Return the SHA-256 of the whole state at a moment, equal to that of a replay in memory.

        One page of the state is in memory; a single text of it would exceed the limit of PostgreSQL, 1 GB,
        at one to two million entities. The state at a moment never changes, so its digest is computed once
        until the rows are rebuilt. Raises AnotherRelease.
        """
        known = self._progress.known if self._progress else None
        if known is None:
            return await self._read_digest(moment)
        key = moment.valid_at, moment.position
        digest = self._digests.get(key, known.epoch)
        if digest is None:
            digest = await self._read_digest(moment)
            self._digests.put(key, digest, len(digest), known.epoch)
        return digest

    async def _read_digest(self, moment: Moment) -> str:
        try:
            return await self._digest(moment)
        except CONNECTION_ERRORS:  # of a standby; the pool then uses another server
            return await self._digest(moment)

    async def _digest(self, moment: Moment) -> str:
        digest = hashlib.sha256()
        async for state_line in self.lines(moment):
            digest.update(state_line)
        return digest.hexdigest()

    async def counts(self, moment: Moment) -> dict[str, int]:
        """Return the number of entities with a state at a moment, by kind."""
        query = _statement(SQL.counts, SQL.every_entity)
        rows = await self._pool.fetch(query, list(STATES), *_at(moment))
        return dict.fromkeys(STATES, 0) | {row["kind"]: row["count"] for row in rows}

    async def lines(self, moment: Moment) -> AsyncIterator[bytes]:
        """Yield the whole state at a moment as JSON lines in canonical order, with one page in memory.

        The SHA-256 of the lines is `digest`.
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
        await self._check_rows()

    async def _check_rows(self) -> None:
        """Check that no other release replaced the rows during the query. Raises AnotherRelease.

        This process is notified of a replacement only a moment later.
        """
        if self._progress:
            await self._progress.query()

    async def state(self, kind: type[S], id: str, moment: Moment) -> S | None:
        """Return the state of one entity, or None without one."""
        entity = f"{kind_name(kind)}/{id}"
        if moment.series:
            return await self._state_on(moment, moment.series, kind, entity)
        row = await self._pool.fetchrow(STATE, entity, *_at(moment))
        return decode(kind, row["state"]) if row else None

    async def _state_on(
        self, moment: Moment, series: MomentSeries, kind: type[S], entity: str
    ) -> S | None:
        """Return the state of one entity, read together with its states at all moments of a series."""

        async def states() -> dict[date, list[S]]:
            rows = await self._pool.fetch(
                STATES_IN, entity, series.first, series.position, series.last
            )
            return series.by_day(
                (row["first_day"], row["last_day"], decode(kind, row["state"])) for row in rows
            )

        state = (await series.read(entity, states))[moment.valid_at]
        return state[0] if state else None

    async def named(self, entities: Sequence[str], moment: Moment) -> dict[str, State]:
        """Return the states of some entities by name, without entities that have no state."""
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
        """Return the states of a kind in the order of their names, at most `limit`."""
        states = await self.lists.page(kind, moment, filter, span=KeyRange(limit=limit))
        return [state for _, state in states]

    async def figures(
        self, commodities: Sequence[str], periods: Sequence[int | None], moment: Moment
    ) -> list[FigureState]:
        """Return the figures of some commodities and years. The period None selects their reserves."""
        words = compound_keys(commodities, periods)
        return await self.states(FigureState, moment, Filter(about=words))

    async def orders(self, moment: Moment) -> list[PreferenceState]:
        """Return the preference orders of publishers, which choose among the claims of a moment.

        There are few of them, and nearly every query for figures needs them.
        """
        if moment.series:
            return (await self._orders_on(moment.series))[moment.valid_at]
        return await self._orders.get(moment)

    async def texts_of(self, control: str, moment: Moment) -> list[TextState]:
        """Return the texts of an instrument, by its key. Few acts have texts."""
        texts = await self._texts.get(moment.alone)
        return [text for text in texts if text.is_of(control)]

    async def _read_texts(self, moment: Moment) -> list[TextState]:
        return await self.states(TextState, moment)

    async def _read_orders(self, moment: Moment) -> list[PreferenceState]:
        return await self.states(PreferenceState, moment)

    async def _read_firms(self, moment: Moment) -> list[FirmState]:
        return await self.states(FirmState, moment)

    async def _orders_on(self, series: MomentSeries) -> Mapping[date, list[PreferenceState]]:
        """Return the orders on each day of a series. Days with equal orders share one object."""

        async def orders() -> dict[date, list[PreferenceState]]:
            days = await self.lists.on_each_day(PreferenceState, series)
            made: dict[tuple[int, ...], list[PreferenceState]] = {}
            return {
                day: made.setdefault(tuple(map(id, states)), states) for day, states in days.items()
            }

        return await series.read(PreferenceState, orders)

    async def firm_spellings(self, name: str, moment: Moment) -> frozenset[str]:
        """Return a name or key of a firm, with all other names of the firms known by it."""
        spelled = spelling(name)
        keys = {spelled, spelled.removeprefix(f"{kind_name(FirmState)}/")}
        firms = await (
            self.states(FirmState, moment) if moment.series else self._firms.get(moment.alone)
        )
        known = (of.spellings for of in firms if of.id in keys or spelled in of.spellings)
        return frozenset({spelled}).union(*known)


@cache
def _statement(query: str, entities: str) -> str:
    """Compose the query for the states at a moment of the entities that another query selects."""
    return fill(query, versions=versions_of(entities), whole=whole_state())


def _at(moment: Moment) -> tuple[date, int]:
    return moment.valid_at, moment.position
