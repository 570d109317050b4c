"""Dependence of places: figures about their imports, and imports under export controls."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date

from projections.analysis.claims import Orders
from projections.analysis.export_clauses import EFFECTIVE, UPCOMING, ExportClauses
from projections.analysis.flow_lists import flow_lists
from projections.analysis.import_exposure import (
    ImportExposure,
    codes_of_list,
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
from projections.versions.rows import code_word
from tracker.clock import Pauses
from tracker.domain.basics.control_vocabulary import Direction, Measure
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.catalogue.commodities import Commodity, related
from tracker.domain.catalogue.hs_concordance import goods_by_code
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import members_of
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import controls_about
from tracker.domain.figures.figure import FigureState
from tracker.domain.figures.trade_flow import TradeFlowState


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

    async def flow_lists(
        self,
        moment: Moment,
        importer: Place,
        commodity: Commodity | None,
        edition: str | None = None,
        without: Iterable[Commodity] = (),
    ) -> list[OriginList]:
        """Return the origins of imports under each code that may have goods of a commodity.

        Without a commodity, they are those of all commodities with a code, except `without` and the
        commodities above and below these. The flows of the members of a union are those on the day.
        """
        excluded = frozenset[Commodity]().union(*map(related, without))
        goods = [pair for pair in goods_by_code(commodity) if pair[1] not in excluded]
        at = moment if edition is None else replace(moment, valid_at=date.max, series=None)
        codes = sorted({code.code for code, _ in goods})
        members = members_of(importer, moment.valid_at)
        flows = await self._flows(at, [importer, *sorted(members)], codes)
        return flow_lists(flows, goods, importer, members, edition)

    async def _flows(
        self, moment: Moment, importers: Sequence[Place], codes: Iterable[str]
    ) -> list[TradeFlowState]:
        """Return the trade flows of some importers under some codes."""
        words = [*map(code_word, codes)]
        of = Filter(about=words, places=importers)
        return [flow for _, flow in await self._lists.page(TradeFlowState, moment, of)]

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
            await self._confirmations.grounds(moment),
            EFFECTIVE | UPCOMING,
        )
        output = defaultdict[Commodity, list[FigureState]](list)
        goods = frozenset[Commodity]().union(*map(goods_of_list, lists))
        for figure in await self._exposures.yearly_output(goods, moment):
            output[figure.series.commodity].append(figure)
        codes = {code for of in lists for code in codes_of_list(of)}
        flows = await self._flows(moment, sorted({of.importer for of in lists}), sorted(codes))
        results, pauses = list[ImportExposure](), Pauses()
        for of in lists:
            on_product = product_clauses(of, moment.valid_at, clauses).only(measures)
            results.append(import_exposure(of, on_product, suppliers(of, output, orders, flows)))
            await pauses.pause()
        return results
