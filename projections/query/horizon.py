"""Policy horizon: the newest act of each issuer or alliance.

Statements about later days depend on what was announced. A suspension ends on its day unless it is
prolonged, and only facts of that day or later show this. So the horizon depends on the position alone,
not on the effective date.
"""

from datetime import date, datetime
from pathlib import Path

import asyncpg
from msgspec import Struct

from projections.query.event_cache import EventCache
from projections.query.lists import Lists
from projections.query.moment import Moment, kind_name
from projections.query.sql_parts import fill, load_parts, versions_of
from projections.query.watching import IssuerWatch, watch_by_issuer
from projections.runner.progress import ProgressTracker
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.basics.values import PartialDate
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.export_control_acts import Disputed, SuspensionStated
from tracker.domain.entities.entity import TYPES
from tracker.domain.evidence.watched_source import WatchedSourceState
from tracker.log.entries import recorded
from tracker.postgres.database import Pool

SQL = load_parts(Path(__file__).with_name("horizon.sql"))
HORIZON = fill(SQL.horizon, versions=versions_of(SQL.policy_entities))
POLICY = [kind_name(kind) for kind in (ExportControlState, AllianceState)]
NO_ACTS = [TYPES[kind] for kind in (Disputed, SuspensionStated)]
"""Types of facts about an instrument that are not acts of its issuer."""
MAX_CACHED_ISSUERS = 1000


class Horizon(Struct, frozen=True):
    """The newest recorded act of an issuer: the act with the last effective day."""

    issuer: str
    """Code of a place, or key of an alliance."""
    newest_fact_on: date
    """Effective day of the fact, possibly in the future."""
    newest_published_on: PartialDate
    """Day on which its source was published."""
    newest_position: int
    recorded_at: datetime


class Horizons:
    """Queries for the policy horizon."""

    def __init__(self, pool: Pool, lists: Lists, progress: ProgressTracker | None = None):
        self._pool = pool
        self._lists = lists
        self._kept = EventCache(progress, MAX_CACHED_ISSUERS, self._read)
        self._watched = EventCache(progress, MAX_CACHED_ISSUERS, self._read_watch)

    async def of(self, issuer: str | None, position: int) -> list[Horizon]:
        """Return the horizon of an issuer at a position, or of all issuers by name.

        The list is empty if nothing is recorded for the issuer.
        """
        return await self._kept.get((issuer, position))

    async def watch(self, position: int) -> dict[str, IssuerWatch]:
        """Return the state of the watched sources at a position, by issuer."""
        return await self._watched.get(position)

    async def _read_watch(self, position: int) -> dict[str, IssuerWatch]:
        states = await self._lists.page(WatchedSourceState, Moment(date.max, position))
        return watch_by_issuer(state for _, state in states)

    async def _read(self, key: tuple[str | None, int]) -> list[Horizon]:
        issuer, position = key
        rows = await self._pool.fetch(HORIZON, POLICY, date.max, position, issuer, NO_ACTS)
        return [_horizon(row) for row in rows]


def _horizon(row: asyncpg.Record) -> Horizon:
    return Horizon(
        issuer=row["issuer"],
        newest_fact_on=row["public_on"],
        newest_published_on=recorded(row["entry"]).fact.source.published_on,
        newest_position=row["position"],
        recorded_at=row["recorded_at"],
    )
