"""Products with figures at a moment: years, places, publishers and units."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from pathlib import Path

import asyncpg
import msgspec

from projections.analysis.supplies import Supply, SupplyUnit, with_filed_supplies
from projections.query.event_cache import EventCache
from projections.query.facts import CLAIMS_NAMED
from projections.query.lists import figures_of
from projections.query.moment import Moment, kind_name
from projections.query.sql_parts import fill, load_parts
from projections.runner.progress import ProgressTracker
from tracker.domain.basics.units import Unit
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.commodities import commodities as all_commodities
from tracker.domain.catalogue.places import AGGREGATES
from tracker.domain.figures.figure import FigureState
from tracker.postgres.database import Pool

SQL = load_parts(Path(__file__).with_name("supplies.sql"))
SUPPLIES = fill(SQL.supplies, claims=CLAIMS_NAMED)
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
            SUPPLIES, kind_name(FigureState), moment.valid_at, moment.position, names, statistic
        )
        supplies = with_filed_supplies([*_supplies(rows)], filed)
        return _in_order(one for one in supplies if one.commodity in commodities)


def _supplies(rows: Sequence[asyncpg.Record]) -> Iterable[Supply]:
    """Build supplies from the claims of their series."""
    products: dict[tuple[str, ...], list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        products[row["commodity"], row["statistic"], row["product"]].append(row)
    return itertools.starmap(_supply, products.items())


def _supply(of: tuple[str, ...], rows: Sequence[asyncpg.Record]) -> Supply:
    commodity, statistic, product = of
    stage, _, form = product.partition("/")
    figures = {(row["place"], years) for row in rows for years in row["years"]}
    places = {place for place, _ in figures}
    units = Counter[tuple[str, str | None]]()
    for row in rows:
        units[row["unit"], msgspec.json.decode(row["basis"])] += len(row["years"])
    return Supply(
        commodity=Commodity(commodity),
        statistic=Statistic(statistic),
        stage=Stage(stage) if stage else None,
        form=form or None,
        years=tuple(sorted({int(years[:4]) for _, years in figures if years})),
        places=len(places.difference(AGGREGATES)),
        has_world_total="WORLD" in places,
        figures=len(figures),
        claims=units.total(),
        publishers=tuple(sorted({row["publisher"] for row in rows})),
        units=tuple(
            SupplyUnit(Unit(unit), basis, claims)
            for (unit, basis), claims in sorted(
                units.items(), key=lambda of: (-of[1], of[0][0], of[0][1] or "")
            )
        ),
        figures_of=Commodity(commodity),
    )


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
