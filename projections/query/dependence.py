"""Dependence of places: figures about their imports, and imports under export controls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

from projections.analysis.claims import Orders
from projections.analysis.export_clauses import EFFECTIVE, UPCOMING, ExportClauses
from projections.analysis.import_exposure import (
    ImportExposure,
    goods_of_list,
    import_exposure,
    product_clauses,
    suppliers,
)
from projections.analysis.origin_lists import OriginList
from projections.query.confirmations import Confirmations
from projections.query.exposures import Exposures
from projections.query.lists import Filter, Lists
from projections.query.moment import Moment
from projections.query.pauses import Pauses
from tracker.domain.commodities import Commodity
from tracker.domain.export_control import ExportControlState
from tracker.domain.figure import FigureState
from tracker.domain.matching import controls_about
from tracker.domain.places import Place
from tracker.domain.vocabulary import Direction, Measure, Statistic


class Dependence:
    """Queries for the dependence of places."""

    def __init__(self, lists: Lists, confirmations: Confirmations, exposures: Exposures):
        self._lists, self._confirmations, self._exposures = lists, confirmations, exposures

    async def figures(
        self,
        statistic: Statistic,
        moment: Moment,
        place: Place | None,
        commodities: Sequence[str] | None,
        edition: str | None = None,
    ) -> list[FigureState]:
        """Return the figures of a statistic for a place, in the order of their names.

        With an edition they have all claims at the position, including those published after the day.
        """
        at = moment if edition is None else replace(moment, valid_at=date.max, series=None)
        of = Filter(commodities=commodities, places=place and [place], category=statistic.value)
        return [figure for _, figure in await self._lists.page(FigureState, at, of)]

    async def import_exposures(
        self,
        lists: Sequence[OriginList],
        orders: Orders,
        moment: Moment,
        measures: Collection[Measure] | None,
    ) -> list[ImportExposure]:
        """Return the controlled part of the imports of each list, as far as some measures control it."""
        if not lists:
            return []
        named = {of.commodity for of in lists}
        listed = await self._lists.page(
            ExportControlState,
            moment,
            Filter(commodities=controls_about(named), category=Direction.EXPORT),
        )
        clauses = ExportClauses(
            [control for _, control in listed],
            await self._confirmations.first_days(moment),
            EFFECTIVE | UPCOMING,
        )
        output = defaultdict[Commodity, list[FigureState]](list)
        goods = frozenset[Commodity]().union(*map(goods_of_list, lists))
        for figure in await self._exposures.yearly_output(goods, moment):
            output[figure.series.commodity].append(figure)
        results, pauses = list[ImportExposure](), Pauses()
        for of in lists:
            on_product = product_clauses(of, moment.valid_at, clauses).only(measures)
            results.append(import_exposure(of, on_product, suppliers(of, output, orders)))
            await pauses.pause()
        return results
