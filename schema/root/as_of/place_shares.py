"""Production of one place for all commodities, with its shares of the world's production."""

from dataclasses import replace

from strawberry import field

from projections.analysis.distribution import by_product
from projections.analysis.distribution import distribution as spread
from projections.query.lists import Filter
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.arguments import parse_word
from schema.inputs.ranges import YearRange, parse_years
from schema.root.as_of.base import AtMoment
from schema.types.common import Commodity, commodity
from schema.types.place_figure import PlaceFigure, place_figure
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.commodities import commodities as all_commodities
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.figure import FigureState

WORLD = Place("WORLD")


@object_type
class ProductOfPlace:
    """The production of one product by a place in one year."""

    commodity: Commodity = field(description="The commodity.")
    stage: Stage | None = field(description="The stage of the supply chain.")
    form: str | None = field(description="The product, if one stage has several.")
    year: int | None = field(description="The year.")
    figure: PlaceFigure
    """The figure with its share of the world's. It has no rank, because a rank needs the figures of all
    places: see `production`."""


@object_type
class PlaceShares(AtMoment):
    """The products of a place at a moment."""

    @resolver_field
    async def products_of(
        self, info: Info, place: str, years: YearRange | None = None
    ) -> list[ProductOfPlace]:
        """The production of one place: every product with a figure for it, by year, in the order of the
        commodity tree, with the place's share of the world's production.

        - place: The country, such as `CD`.
        - years: Only these years.
        """
        of = parse_word(Place, place, "place")
        as_of, orders = info.context.services.as_of, await self.orders(info)
        filter = Filter(
            places=[of], category=Statistic.PRODUCTION.value, period=parse_years(years, "years")
        )
        own = await as_of.states(FigureState, self.moment, filter)
        made = sorted({figure.series.commodity for figure in own})
        world = Filter(
            commodities=made, places=[WORLD], category=filter.category, period=filter.period
        )
        whole = await as_of.states(FigureState, self.moment, world) if made else []
        by_year = by_product([*own, *(one for one in whole if of != WORLD)])
        order = {one: number for number, one in enumerate(all_commodities())}
        products = sorted(
            by_year, key=lambda one: (order[one[0]], str(one[2].stage), one[2].form or "", one[3])
        )
        shares = [(one, spread(by_year[one], orders).share_of(of)) for one in products]
        return [
            ProductOfPlace(
                commodity=commodity(of_commodity),
                stage=product.stage,
                form=product.form,
                year=year,
                # A rank among these figures alone would be wrong.
                figure=place_figure(replace(share, rank=None, cumulative=None), orders),
            )
            for (of_commodity, _, product, year), share in shares
            if share is not None
        ]
