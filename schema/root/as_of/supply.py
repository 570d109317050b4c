"""Analyses of figures and controls at a moment: shares and exposure."""

from __future__ import annotations

from typing import Annotated

from strawberry import argument

from projections.analysis.distribution import distribution as spread
from projections.analysis.distribution import selected
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.arguments import parse_exposure_question, parse_word
from schema.root.as_of.base import AtMoment
from schema.types.distribution import Distribution, distribution
from schema.types.exposure import Exposure, exposure
from tracker.domain.commodities import Commodity
from tracker.domain.vocabulary import Stage, Statistic

OfCommodity = Annotated[str, argument(description="The commodity, such as `rare_earths`.")]
Form = Annotated[
    str | None, argument(description="The product, where one stage has several, such as `sponge`.")
]


@object_type
class SupplyAnalysis(AtMoment):
    """Analyses of the figures and controls at a moment."""

    @resolver_field
    async def production(
        self,
        info: Info,
        commodity: OfCommodity,
        year: Annotated[int, argument(description="The year of the figures.")],
        stage: Annotated[
            Stage, argument(description="The stage of the supply chain.")
        ] = Stage.MINE,
        form: Form = None,
    ) -> Distribution:
        """The world's production of a commodity in one year, by place."""
        id = parse_word(Commodity, commodity, "commodity")
        figures = await info.context.services.as_of.figures(id, year, self.moment)
        orders, wanted = await self.orders(info), (Statistic.PRODUCTION, stage, form)
        return distribution(id, spread(selected(figures, *wanted), orders), orders)

    @resolver_field
    async def reserves(self, info: Info, commodity: OfCommodity, form: Form = None) -> Distribution:
        """The world's reserves of a commodity, by place."""
        id = parse_word(Commodity, commodity, "commodity")
        figures = await info.context.services.as_of.figures(id, None, self.moment)
        orders, wanted = await self.orders(info), (Statistic.RESERVES, None, form)
        return distribution(id, spread(selected(figures, *wanted), orders), orders)

    @resolver_field
    async def exposure(
        self,
        info: Info,
        commodity: Annotated[
            str | None,
            argument(
                description="Only supplies of this commodity, and of those below it that have figures. All"
                " commodities that the controls name if left out."
            ),
        ] = None,
        issuer: Annotated[
            str | None, argument(description="Only export controls of this issuer.")
        ] = None,
        destination: Annotated[
            str | None,
            argument(
                description="Only export controls that reach this destination. If left out,"
                " controls limited to some destinations count as partial."
            ),
        ] = None,
        stage: Annotated[Stage | None, argument(description="Only supplies at this stage.")] = None,
        year: Annotated[
            int | None,
            argument(
                description="The year of the figures; for each supply the latest one if left out."
            ),
        ] = None,
    ) -> list[Exposure]:
        """The supplies that export controls reach, and their share of the world's production. Needs
        a commodity, an issuer or a destination.
        """
        asked = parse_exposure_question(self.moment.valid_at, commodity, issuer, destination, stage)
        orders = await self.orders(info)
        found = await info.context.services.as_of.exposures(asked, orders, self.moment, year=year)
        return [exposure(item, orders, self.moment) for item in found]
