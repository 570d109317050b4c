"""Analyses of figures and controls at a moment: supplies, shares and exposure."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from projections.analysis.distribution import ProductYear, by_product, with_filed_products
from projections.analysis.distribution import distribution as spread
from projections.analysis.supplies import (
    Product,
    latest_year,
    of_statistic,
    plain_product,
    product_meant,
)
from projections.analysis.supplies import Supply as Known
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.arguments import (
    CommodityId,
    parse_all,
    parse_exposure_query,
    parse_optional_text,
    parse_with_descendants,
    parse_word,
    parse_words,
)
from schema.inputs.ranges import YearRange, parse_closed_years
from schema.root.as_of.base import AtMoment
from schema.types.common import place, share_content
from schema.types.distribution import AnswerContext, Distribution, distribution
from schema.types.exposure import Exposure, ExposureToward
from schema.types.supply import Supply
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.figure import FigureState
from tracker.errors import InvalidInput, TooLarge

MAX_DISTRIBUTIONS = 100
"""Maximum number of commodities times years in a query."""
MAX_DESTINATIONS = 50

OfCommodity = Annotated[str, "The commodity, such as `rare_earths`."]
Form = Annotated[
    str | None,
    "The product, if one stage has several, such as `sponge`. If left out, the product without a form if"
    " there are figures for it, else the only form.",
]
StageOrOnly = Annotated[
    Stage | None,
    "The stage of the supply chain. If left out, mining if the commodity has figures for it in any year,"
    " else the only stage with figures; `Distribution.stage` contains it. A given stage is never replaced"
    " by another.",
]
OfIssuer = Annotated[str | None, "Only export controls of this issuer."]
AtStage = Annotated[Stage | None, "Only supplies at this stage."]
OfYear = Annotated[
    int | None, "The year of the figures; if left out, the latest year of each supply."
]
ExposedCommodity = Annotated[
    str | None,
    "Only supplies of this commodity, and of those below it with figures. If left out, all commodities"
    " that the controls name, and those below them with a figure of a controlling place.",
]


@object_type
class SupplyAnalysis(AtMoment):
    """Analyses of the figures and controls at a moment."""

    @resolver_field
    async def supplies(
        self,
        info: Info,
        commodity: CommodityId = None,
        place: str | None = None,
        statistic: Statistic | None = None,
    ) -> list[Supply]:
        """The products with figures: every commodity, statistic, stage and form with its years, units and
        publishers, in the order of the commodity tree.

        - place: Only figures for this place, such as `CN` or `WORLD`.
        - statistic: Only supplies of this statistic.
        """
        supplies = await info.context.services.as_of.supplies.find(
            self.moment,
            parse_with_descendants(commodity),
            parse_words(Place, place, "place") or (),
            statistic,
            [Commodity(commodity)] if commodity else (),
        )
        return [Supply(of=one) for one in supplies]

    @resolver_field
    async def production(
        self,
        info: Info,
        commodity: OfCommodity,
        year: int | None = None,
        stage: StageOrOnly = None,
        form: Form = None,
    ) -> Distribution:
        """The world's production of a commodity in one year, by place.

        - year: The year of the figures; the latest one with figures if left out.
        """
        of = parse_word(Commodity, commodity, "commodity")
        form = parse_optional_text(form, "form")
        if year is None:
            year = await self._latest_year(info, of, stage, form)
            arguments = [of], [year], Statistic.PRODUCTION, stage, form
            [distribution] = await self._distributions(info, *arguments)
            return distribution
        return await self._on_all_days(info, of, year, Statistic.PRODUCTION, stage, form)

    @resolver_field
    async def productions(
        self,
        info: Info,
        commodities: list[str],
        years: Annotated[
            YearRange,
            (
                "The years of the figures. Both ends are required. The number of"
                f" commodities times years is at most {MAX_DISTRIBUTIONS}."
            ),
        ],
        stage: StageOrOnly = None,
        form: Form = None,
    ) -> list[Distribution]:
        """The world's production of several commodities, or of one in several years: by commodity in the
        given order, and year. Years without figures are left out.

        - commodities: The commodities, such as `lithium`, without those below them.
        """
        of = list(dict.fromkeys(parse_all(Commodity, commodities, "commodities")))
        first, last = parse_closed_years(years, "years")
        if (last - first + 1) * len(of) > MAX_DISTRIBUTIONS:
            raise TooLarge(
                f"expected at most {MAX_DISTRIBUTIONS} commodities times years", path=("years",)
            )
        form = parse_optional_text(form, "form")
        distributions = await self._distributions(
            info, of, range(first, last + 1), Statistic.PRODUCTION, stage, form
        )
        return [one for one in distributions if one.spread.figures]

    @resolver_field
    async def latest_productions(
        self, info: Info, commodity: CommodityId = None
    ) -> list[Distribution]:
        """The world's production of each commodity with figures, in its latest year, in the order of the
        commodity tree. Stage and form are chosen as in `production` without these arguments. If none can be
        chosen, there are no figures: see `available`."""
        supplies = await info.context.services.as_of.supplies.find(
            self.moment,
            parse_with_descendants(commodity),
            (),
            Statistic.PRODUCTION,
            [Commodity(commodity)] if commodity else (),
        )
        order = list(dict.fromkeys(one.commodity for one in supplies))
        by_year: dict[int | None, list[Commodity]] = {}
        for of in order:
            known = of_statistic(supplies, of, Statistic.PRODUCTION)
            by_year.setdefault(latest_year(known, product_meant(known)), []).append(of)
        latest: dict[Commodity, Distribution] = {}
        for year, of_year in by_year.items():
            latest |= zip(
                of_year,
                await self._distributions(
                    info, of_year, [year], Statistic.PRODUCTION, None, None, supplies
                ),
                strict=True,
            )
        return [latest[of] for of in order]

    @resolver_field
    async def reserves(self, info: Info, commodity: OfCommodity, form: Form = None) -> Distribution:
        """The world's reserves of a commodity, by place."""
        of = parse_word(Commodity, commodity, "commodity")
        form = parse_optional_text(form, "form")
        return await self._on_all_days(info, of, None, Statistic.RESERVES, None, form)

    async def _on_all_days(
        self,
        info: Info,
        commodity: Commodity,
        year: int | None,
        statistic: Statistic,
        stage: Stage | None,
        form: str | None,
    ) -> Distribution:
        """Return the distribution of a commodity in a year; in a series it is computed for all dates at
        once."""

        async def on_day(moment: Moment) -> Distribution:
            arguments = [commodity], [year], statistic, stage, form
            [distribution] = await SupplyAnalysis(moment=moment)._distributions(info, *arguments)
            return distribution

        series = self.moment.series
        if series is None:
            return await on_day(self.moment)
        key = ("distributions", commodity, year, statistic, stage, form)
        days = await series.read(key, partial(series.on_each_day, on_day))
        return series.on(self.moment.valid_at, days)

    async def _distributions(
        self,
        info: Info,
        commodities: Sequence[Commodity],
        years: Sequence[int | None],
        statistic: Statistic,
        stage: Stage | None,
        form: str | None,
        supplies: Sequence[Known] | None = None,
    ) -> list[Distribution]:
        as_of, orders = info.context.services.as_of, await self.orders(info)
        answer = AnswerContext(orders, self.moment, supplies)
        filed = [one.filed_figures.commodity for one in commodities if one.filed_figures]
        figures = await as_of.figures([*commodities, *filed], years, self.moment)
        products = with_filed_products(by_product(figures), commodities)
        plain = plain_product(statistic, stage)
        at_hand = {
            of
            for of, statistic_, product, _ in products
            if (statistic_, product) == (statistic, plain)
        }
        known = dict.fromkeys(at_hand.intersection(commodities), plain) if form is None else {}
        others = [of for of in commodities if of not in known]
        if others:
            known |= await self._products(info, others, statistic, stage, form, supplies)
        return [
            _distribution(key, products.get(key, ()), answer)
            for commodity in commodities
            for year in years
            for key in [(commodity, statistic, known[commodity], year)]
        ]

    async def _products(
        self,
        info: Info,
        commodities: Sequence[Commodity],
        statistic: Statistic,
        stage: Stage | None,
        form: str | None,
        supplies: Sequence[Known] | None,
    ) -> dict[Commodity, Product]:
        """Return the product of each commodity: as given, or the default for what is left out."""
        if form and (stage or statistic is Statistic.RESERVES):
            return dict.fromkeys(commodities, Product(stage, form))
        known = supplies or await self._supplies_of(info, commodities)
        return {
            commodity: product_meant(of_statistic(known, commodity, statistic), stage, form)
            for commodity in commodities
        }

    async def _latest_year(
        self, info: Info, commodity: Commodity, stage: Stage | None, form: str | None
    ) -> int | None:
        """Return the latest year with figures for the production of a commodity; None without any."""
        known = of_statistic(
            await self._supplies_of(info, [commodity]), commodity, Statistic.PRODUCTION
        )
        return latest_year(known, product_meant(known, stage, form))

    async def _supplies_of(self, info: Info, commodities: Sequence[Commodity]) -> Sequence[Known]:
        """Return the supplies of commodities; in a series they are read once for each date."""
        supplies, series = info.context.services.as_of.supplies, self.moment.series
        read = partial(supplies.of_commodities, frozenset(commodities), self.moment)
        key = ("supplies", *commodities, self.moment.valid_at)
        return await series.read(key, read) if series else await read()

    @resolver_field
    async def exposure(
        self,
        info: Info,
        commodity: ExposedCommodity = None,
        issuer: OfIssuer = None,
        destination: str | None = None,
        stage: AtStage = None,
        year: OfYear = None,
    ) -> list[Exposure]:
        """The supplies that export controls cover, and their share of the world's production. Needs a
        commodity, an issuer or a destination.

        - destination: Only export controls that cover this destination. If left out, controls limited to
          some destinations count as partial.
        """
        query = parse_exposure_query(self.moment.valid_at, commodity, issuer, destination, stage)
        orders = await self.orders(info)
        [exposure] = await info.context.services.as_of.exposures.find(
            query, orders, self.moment, destinations=[query.destination], year=year
        )
        return [Exposure(of=item, orders=orders, moment=self.moment) for item in exposure]

    @resolver_field
    async def exposures(
        self,
        info: Info,
        destinations: Annotated[
            list[str],
            (
                "The destinations, such as `US` and `DE`, at least one and at most"
                f" {MAX_DESTINATIONS}."
            ),
        ],
        commodity: ExposedCommodity = None,
        issuer: OfIssuer = None,
        stage: AtStage = None,
        year: OfYear = None,
    ) -> list[ExposureToward]:
        """`exposure` for each of several destinations, in the given order."""
        toward = _parse_destinations(destinations)
        query = parse_exposure_query(self.moment.valid_at, commodity, issuer, toward[0], stage)
        orders = await self.orders(info)
        exposures = await info.context.services.as_of.exposures.find(
            query, orders, self.moment, destinations=toward, year=year
        )
        return [
            ExposureToward(
                destination=place(one),
                supplies=[Exposure(of=item, orders=orders, moment=self.moment) for item in of],
            )
            for one, of in zip(toward, exposures, strict=True)
        ]


def _parse_destinations(codes: list[str]) -> list[Place]:
    """Parse destinations, without repetitions. Raises InvalidInput."""
    if not codes:
        raise InvalidInput("expected at least one destination", path=("destinations",))
    if len(codes) > MAX_DESTINATIONS:
        raise TooLarge(f"expected at most {MAX_DESTINATIONS} destinations", path=("destinations",))
    return list(dict.fromkeys(parse_all(Place, codes, "destinations")))


def _distribution(
    of_product: ProductYear, figures: Sequence[FigureState], answer: AnswerContext
) -> Distribution:
    """Return the distribution of a product in a year.

    In a series it is computed once for all dates with the same figures and orders of publishers.
    """

    def compute() -> Distribution:
        return distribution(of_product, spread(figures, answer.orders), answer)

    series = answer.moment.series
    if series is None:
        return compute()
    key = ("distribution", of_product, id(answer.orders), *map(id, figures))
    _, content = series.remember(key, lambda: ((figures, answer.orders), compute()))
    return share_content(content, answer=answer)
