"""As-of questions: what was so on a day, as the log told it at a position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.codec import decode
from tracker.domain.export_control import ExportControlState
from tracker.domain.figure import FigureState
from tracker.domain.kinds import STATES, State, kind_of
from tracker.errors import InvalidInput
from tracker.log.database import Pool, named_queries
from tracker.log.recorder import Recorder

SQL = named_queries(Path(__file__).with_name("as_of.sql"))
S = TypeVar("S", AllianceState, AnnouncementState, ExportControlState, FigureState)


@dataclass(frozen=True, slots=True)
class Moment:
    """A place on both time axes: a day in the world, and a position in the log."""

    valid_at: date
    position: int


@dataclass(frozen=True, slots=True)
class Held:
    """A state that an entity had: the days on which it held, and the positions that said so.

    The later ends are not included; None means open.
    """

    valid_from: date
    valid_until: date | None
    known_from: int
    known_until: int | None
    state: State


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of entities is narrowed to; None does not narrow."""

    commodities: Sequence[str] | None = None
    places: Sequence[str] | None = None
    publishers: Sequence[str] | None = None


class AsOf:
    """Answers as-of questions from the version rows."""

    def __init__(self, pool: Pool, recorder: Recorder):
        self._pool = pool
        self._recorder = recorder

    async def resolve(
        self,
        valid_at: date | None = None,
        known_at: datetime | None = None,
        position: int | None = None,
    ) -> Moment:
        """The moment that a question means; today and the latest position where it says nothing.

        Raises InvalidInput when both `known_at` and `position` are given, or the position is
        ahead of what has been projected.
        """
        if known_at is not None and position is not None:
            raise InvalidInput("expected knownAt or position, not both: each of them chooses the"
                               " transaction time", code="AMBIGUOUS_TIME", path=("knownAt",))
        reached = int(await self._pool.fetchval(SQL.resolve_now))
        if known_at is not None:
            position = min(reached, await self._recorder.position_at(known_at))
        if position is None:
            position = reached
        if not 0 <= position <= reached:
            raise InvalidInput(f"expected a position from 0 to {reached}, the last one",
                               code="POSITION_AHEAD", path=("position",))
        return Moment(valid_at or datetime.now(UTC).date(), position)

    async def digest(self, moment: Moment) -> str:
        """The SHA-256 of the whole state at a moment; equal to that of a replay in memory."""
        return str(await self._pool.fetchval(SQL.digest, moment.valid_at, moment.position))

    async def state(self, kind: type[S], id: str, moment: Moment) -> S | None:
        """The state of one entity, or None while there is none."""
        entity = f"{_name(kind)}/{id}"
        row = await self._pool.fetchrow(SQL.state, entity, moment.valid_at, moment.position)
        return decode(kind, row["state"]) if row else None

    async def states(
        self,
        kind: type[S],
        moment: Moment,
        filter: Filter = Filter(),
        *,
        after: str | None = None,
        limit: int | None = None,
    ) -> list[S]:
        """The states of a kind in the order of their names, after an id, at most `limit`."""
        rows = await self._pool.fetch(
            SQL.states, _name(kind), moment.valid_at, moment.position, filter.commodities,
            filter.places, filter.publishers, f"{_name(kind)}/{after}" if after else None, limit,
        )
        return [decode(kind, row["state"]) for row in rows]

    async def figures(
        self, commodity: str, period: int | None, moment: Moment
    ) -> list[FigureState]:
        """The figures of one commodity for one year, or, without a year, its reserves."""
        rows = await self._pool.fetch(SQL.figures, commodity, period, moment.valid_at,
                                      moment.position)
        return [decode(FigureState, row["state"]) for row in rows]

    async def history(self, entity: str) -> list[Held]:
        """Everything that was ever so of an entity, on both axes, the oldest knowledge first."""
        kind = STATES[kind_of(entity).KIND]
        return [_held(row, kind) for row in await self._pool.fetch(SQL.history, entity)]


def _name(kind: type[Any]) -> str:
    return next(name for name, state in STATES.items() if state is kind)


def _held(row: asyncpg.Record, kind: type[Any]) -> Held:
    valid, known = row["valid"], row["known"]
    return Held(valid.lower, valid.upper, known.lower, known.upper, decode(kind, row["state"]))
