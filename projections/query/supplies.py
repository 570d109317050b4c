"""Products with figures at a moment: years, places, publishers and units."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from pathlib import Path

import asyncpg

from projections.analysis.supplies import Supply, SupplyUnit, with_filed_supplies
from projections.query.event_cache import EventCache
from projections.query.list_statements import ENTITIES_BY_NAMES
from projections.query.lists import figures_of
from projections.query.moment import Moment, kind_name
from projections.query.sql_parts import fill, load_parts, versions_of, whole_state
from projections.runner.progress import ProgressTracker
from tracker.domain.basics.units import Unit
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.commodities import commodities as all_commodities
from tracker.domain.catalogue.places import AGGREGATES
from tracker.domain.figures.figure import FigureState
from tracker.postgres.database import Pool

SQL = load_parts(Path(__file__).with_name("supplies.sql"))
SUPPLIES = fill(SQL.supplies, versions=versions_of(ENTITIES_BY_NAMES), whole=whole_state())
MAX_CACHED_QUERIES = 1000
"""Maximum of queries cached until the next event."""


class Supplies:
    """Queries for the products with figures."""

    def __init__(self, pool: Pool, progress: ProgressTracker | None = None):
        self._pool = pool
        self._kept = EventCache(progress, MAX_CACHED_QUERIES, self._read)

    async def of_commodities(
        self, commodities: frozenset[Commodity], moment: Moment
    ) -> list[Supply]:
        """Return the supplies of some commodities, cached until the next event.

        Queries without a stage or form need them. The cache key has no series, which would stay in
        memory with all its reads. A commodity without own figures gets those filed under another
        commodity.
        """
        return await self._kept.get((commodities, moment.valid_at, moment.position))

    async def _read(self, key: tuple[frozenset[Commodity], date, int]) -> list[Supply]:
        commodities, day, position = key
        return await self.find(Moment(day, position), commodities, filed=commodities)

    async def find(
        self,
        moment: Moment,
        of: Collection[str] | None = None,
        places: Sequence[str] = (),
        statistic: Statistic | None = None,
        filed: Collection[Commodity] = (),
    ) -> list[Supply]:
        """Return the supplies of some commodities, or of all, in the order of the tree.

        They are limited to some places and one statistic, if given. Commodities in `filed` get the
        supplies of figures filed under another commodity if they have none.
        """
        commodities = frozenset(all_commodities() if of is None else of)
        sources = {one.filed_figures.commodity for one in filed if one.filed_figures}
        names = figures_of(sorted(commodities | sources), places)
        rows = await self._pool.fetch(
            SUPPLIES,
            kind_name(FigureState),
            moment.valid_at,
            moment.position,
            names,
            statistic,
            [*AGGREGATES],
        )
        supplies = with_filed_supplies([*_supplies(rows)], filed)
        return _in_order(one for one in supplies if one.commodity in commodities)


def _supplies(rows: Sequence[asyncpg.Record]) -> Iterable[Supply]:
    """Build supplies from rows; the rows of units belong to the supply of their product."""
    units: dict[tuple[str | None, ...], list[SupplyUnit]] = defaultdict(list)
    for row in rows:
        if row["of_unit"]:
            units[_product(row)].append(SupplyUnit(Unit(row["unit"]), row["basis"], row["claims"]))
    return (_supply(row, units[_product(row)]) for row in rows if not row["of_unit"])


def _supply(row: asyncpg.Record, units: Iterable[SupplyUnit]) -> Supply:
    return Supply(
        commodity=Commodity(row["commodity"]),
        statistic=Statistic(row["statistic"]),
        stage=Stage(row["stage"]) if row["stage"] else None,
        form=row["form"],
        years=tuple(row["years"]),
        places=row["places"],
        has_world_total=row["has_world_total"],
        figures=row["figures"],
        claims=row["claims"],
        publishers=tuple(row["publishers"]),
        units=tuple(units),
        figures_of=Commodity(row["commodity"]),
    )


def _product(row: asyncpg.Record) -> tuple[str | None, ...]:
    return row["commodity"], row["statistic"], row["stage"], row["form"]


def _in_order(supplies: Iterable[Supply]) -> list[Supply]:
    """Sort by the commodity tree, and by statistic, stage and form in declaration order."""
    tree = {commodity: number for number, commodity in enumerate(all_commodities())}
    statistics, stages = [*Statistic], [None, *Stage]
    return sorted(
        supplies,
        key=lambda of: (
            tree[of.commodity],
            statistics.index(of.statistic),
            stages.index(of.stage),
            of.form or "",
        ),
    )
