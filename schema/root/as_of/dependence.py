"""Dependence of places on imports: reliance, origins, prices, and imports under export controls."""

from typing import Annotated, TypeAlias

from projections.analysis.origin_lists import OriginList, newest_lists
from projections.analysis.yearly_lines import yearly_lines
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs import arguments
from schema.root.as_of.base import AtMoment
from schema.types.completeness import imports_scope
from schema.types.dependence import (
    ImportExposure,
    ImportExposures,
    OriginLists,
    YearlyLine,
    YearlyLines,
)
from schema.types.dependence import OriginList as PublishedList
from tracker.domain.basics.control_vocabulary import Measure
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.catalogue.commodities import Commodity, commodities
from tracker.domain.catalogue.places import Place

Importer: TypeAlias = Annotated[str, "The importing place, such as `US`."]
Edition: TypeAlias = Annotated[
    str | None,
    "Only claims in this edition, such as `MCS 2026`, also if it was published after `validAt`. If left"
    " out, the latest claims that were public on that date.",
]
OfProduct: TypeAlias = Annotated[str | None, "Only this product, such as `metal`; all if left out."]


@object_type
class DependenceAnalysis(AtMoment):
    """Analyses of the dependence of a place at a moment."""

    @resolver_field
    async def reliance(
        self,
        info: Info,
        importer: Importer,
        commodity: arguments.CommodityId = None,
        figures: Edition = None,
    ) -> YearlyLines:
        """The net import reliance of a place by year: imports less exports, in percent of consumption. The
        basis of each claim names the kind of consumption. Never multiply it by a share of origins."""
        return await self._lines(info, Statistic.NET_IMPORT_RELIANCE, importer, commodity, figures)

    @resolver_field
    async def prices(
        self,
        info: Info,
        commodity: arguments.CommodityId = None,
        place: str | None = None,
        figures: Edition = None,
    ) -> YearlyLines:
        """Prices by year. The basis of each claim names purity, market and terms. Prices on different bases
        are not comparable, such as nominal and real ones.

        - place: Only prices of this market, such as `US`.
        """
        return await self._lines(info, Statistic.PRICE, place, commodity, figures, field="place")

    @resolver_field
    async def import_origins(
        self,
        info: Info,
        importer: Importer,
        commodity: arguments.CommodityId = None,
        form: OfProduct = None,
        figures: Edition = None,
    ) -> OriginLists:
        """The origins of the imports of a place: published lists with the part of each origin. Most are
        averages of several years. An origin is the place of the last processing, not of mining."""
        of = Statistic.IMPORT_ORIGINS
        return await self._published_lists(info, of, importer, commodity, form, figures)

    @resolver_field
    async def import_ranks(
        self,
        info: Info,
        importer: Importer,
        commodity: arguments.CommodityId = None,
        form: OfProduct = None,
        figures: Edition = None,
    ) -> OriginLists:
        """The origins of the imports of a place in descending order: published lists without numbers."""
        of = Statistic.IMPORT_RANKS
        return await self._published_lists(info, of, importer, commodity, form, figures)

    @resolver_field
    async def import_exposure(
        self,
        info: Info,
        importer: Importer,
        commodity: arguments.CommodityId = None,
        form: OfProduct = None,
        measures: list[Measure] | None = None,
        figures: Edition = None,
    ) -> ImportExposures:
        """The part of the imports of a place that comes from origins with export controls toward it: bounds
        for each published list of origins. For a commodity without one, trade flows are used: a list for
        each code that may have its goods. Without `commodity`, the answer has all commodities with a list
        or a flow. For the EU these are flows from outside. The numbers show imports in the
        period of the list and controls on `validAt`.

        - measures: Only clauses with one of these measures; all if left out.
        """
        lists = await self._lists(
            info, Statistic.IMPORT_ORIGINS, importer, commodity, form, figures
        )
        if form is None and not (lists and commodity):
            lists = await self._with_flows(info, lists, Place(importer), commodity, figures)
        orders = await self.orders(info)
        exposures = await info.context.services.as_of.dependence.import_exposures(
            lists, orders, self.moment, None if measures is None else frozenset(measures)
        )
        return ImportExposures(
            scope=imports_scope(info, self.moment, importer, _goods(commodity)),
            lists=[ImportExposure(of=one, orders=orders, moment=self.moment) for one in exposures],
        )

    async def _with_flows(
        self,
        info: Info,
        lists: list[OriginList],
        importer: Place,
        commodity: str | None,
        edition: str | None,
    ) -> list[OriginList]:
        """Return published lists with those of trade flows for the other commodities, in tree order."""
        flows = await info.context.services.as_of.dependence.flow_lists(
            self.moment,
            importer,
            None if commodity is None else Commodity(commodity),
            edition,
            without=[goods for one in lists for goods in (one.commodity, one.goods)],
        )
        if commodity is not None:
            return flows
        tree = [*commodities()]
        return sorted([*lists, *flows], key=lambda one: tree.index(one.commodity))

    async def _lines(
        self,
        info: Info,
        statistic: Statistic,
        place: str | None,
        commodity: str | None,
        edition: str | None,
        field: str = "importer",
    ) -> YearlyLines:
        of = None if place is None else arguments.parse_word(Place, place, field)
        edition = arguments.parse_optional_text(edition, "figures")
        figures = await info.context.services.as_of.dependence.figures(
            statistic, self.moment, of, _commodities(commodity, every_stage=True), edition
        )
        orders, tree = await self.orders(info), [*commodities()]
        lines = yearly_lines(figures, edition)
        lines.sort(key=lambda one: (tree.index(one.commodity), one.form or "", one.place))
        return YearlyLines(
            scope=imports_scope(
                info, self.moment, place if field == "importer" else None, _goods(commodity)
            ),
            lines=[YearlyLine(of=one, orders=orders) for one in lines],
        )

    async def _published_lists(
        self,
        info: Info,
        statistic: Statistic,
        importer: str,
        commodity: str | None,
        form: str | None,
        edition: str | None,
    ) -> OriginLists:
        lists = await self._lists(info, statistic, importer, commodity, form, edition)
        orders = await self.orders(info)
        return OriginLists(
            scope=imports_scope(info, self.moment, importer, _goods(commodity)),
            lists=[PublishedList(of=one, orders=orders) for one in lists],
        )

    async def _lists(
        self,
        info: Info,
        statistic: Statistic,
        importer: str,
        commodity: str | None,
        form: str | None,
        edition: str | None,
    ) -> list[OriginList]:
        """Return the newest lists of a place, in the order of the commodity tree and by product."""
        form = arguments.parse_optional_text(form, "form")
        edition = arguments.parse_optional_text(edition, "figures")
        figures = await info.context.services.as_of.dependence.figures(
            statistic,
            self.moment,
            arguments.parse_word(Place, importer, "importer"),
            _commodities(commodity),
            edition,
        )
        named, tree = arguments.parse_with_descendants(commodity), [*commodities()]
        lists = [
            one
            for one in newest_lists(figures, edition)
            if form in (None, one.form) and (named is None or {one.commodity, one.goods} & {*named})
        ]
        return sorted(lists, key=lambda one: (tree.index(one.commodity), one.form or ""))


def _goods(commodity: str | None) -> list[str] | None:
    return None if commodity is None else [commodity]


def _commodities(commodity: str | None, *, every_stage: bool = False) -> list[str] | None:
    """Return a commodity and all below it, with the one under which its figures are filed.

    With `every_stage`, only if its figures are filed there for all stages.
    """
    named = arguments.parse_with_descendants(commodity)
    filed = Commodity(commodity).filed_figures if commodity else None
    if named is None or filed is None or (every_stage and filed.stage):
        return named
    return sorted({*named, filed.commodity})
