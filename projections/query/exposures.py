"""Exposure: supplies of commodities that export controls cover."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from projections.analysis.claims import Orders
from projections.analysis.distribution import by_product, largest_shares
from projections.analysis.export_clauses import ExportClauses, ExposureQuery
from projections.analysis.exposure import Exposure, exposures, yearly_supplies
from projections.query.confirmations import Confirmations
from projections.query.event_cache import MAX_CACHED_MOMENTS, EventCache
from projections.query.facts import CLAIMS_NAMED
from projections.query.lists import Filter, Lists, figures_of
from projections.query.moment import Moment, kind_name
from projections.query.sql_parts import fill, load_parts, versions_of, whole_state
from projections.query.stored_states import decode
from projections.runner.progress import ProgressTracker
from tracker.clock import Pauses
from tracker.domain.basics.control_vocabulary import Direction
from tracker.domain.catalogue.commodities import Commodity, ancestors, descendants
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import controls_about
from tracker.domain.figures.figure import FigureState
from tracker.postgres.database import Pool

SQL = load_parts(Path(__file__).with_name("exposures.sql"))
YEARLY_OUTPUT = fill(
    SQL.yearly_output,
    versions=versions_of(fill(SQL.yearly_figures, claims=CLAIMS_NAMED)),
    whole=whole_state(),
)


class Exposures:
    """Queries for exposures."""

    def __init__(
        self,
        pool: Pool,
        lists: Lists,
        confirmations: Confirmations,
        progress: ProgressTracker | None = None,
    ):
        self._pool, self._lists, self._confirmations = pool, lists, confirmations
        self.shares = EventCache(progress, MAX_CACHED_MOMENTS, self._read_shares)
        """The largest share of each place in a product of a commodity, or of those above it, at a moment."""

    async def find(
        self,
        query: ExposureQuery,
        orders: Orders,
        moment: Moment,
        *,
        destinations: Sequence[Place | None],
        year: int | None = None,
    ) -> list[list[Exposure]]:
        """Return the supply under export controls, for each destination (None: any).

        `year` defaults to the newest year with figures; see `projections.analysis.exposure`.
        """
        listed = await self._lists.page(
            ExportControlState,
            moment,
            Filter(
                commodities=query.commodity and controls_about([query.commodity]),
                places=query.issuer and [query.issuer],
                category=Direction.EXPORT,
            ),
        )
        queries = [replace(query, destination=destination) for destination in destinations]
        grounds = await self._confirmations.grounds(moment)
        clauses = ExportClauses([control for _, control in listed], grounds)
        named = set[Commodity]()
        for each in queries:
            named.update(clauses.subjects(each))
            await asyncio.sleep(0)  # a query takes a while: let other tasks run
        commodities = {below for one in named for below in descendants(one)}
        commodities.update(one.filed_figures.commodity for one in named if one.filed_figures)
        figures = await self.yearly_output(commodities, moment, year)
        spread = yearly_supplies(figures, orders)
        await asyncio.sleep(0)
        results = []
        for each in queries:
            results.append(exposures(each, clauses, spread))
            await asyncio.sleep(0)
        return results

    async def yearly_output(
        self, commodities: Collection[Commodity], moment: Moment, year: int | None = None
    ) -> list[FigureState]:
        """Return the figures of the output of some commodities in a year.

        By default it is the newest year of each product with figures.
        """
        rows = await self._pool.fetch(
            YEARLY_OUTPUT,
            kind_name(FigureState),
            moment.valid_at,
            moment.position,
            figures_of(sorted(commodities)),
            None if year is None else f"{year:04}",
        )
        figures, pauses = list[FigureState](), Pauses()
        for row in rows:
            figures.append(decode(FigureState, row["state"]))
            await pauses.pause()
        return figures

    async def _read_shares(self, key: tuple[Commodity, Moment]) -> Mapping[str, Decimal]:
        commodity, moment = key
        filed = commodity.filed_figures
        near = [commodity, *([filed.commodity] if filed else []), *ancestors(commodity)]
        return largest_shares(commodity, by_product(await self.yearly_output(near, moment)))
