"""GraphQL types of production or reserves by place."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import strawberry
from strawberry import field

from projections.analysis import distribution as production
from projections.analysis import groups, totals
from projections.analysis.claims import Orders
from projections.analysis.groups import group_share
from projections.analysis.supplies import Supply as Known
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import resolver_field
from schema.base.output_types import made_field, output_type, struct_field
from schema.inputs.group import GroupInput, find_group
from schema.types.common import Commodity, Place, commodity
from schema.types.figure import Claim
from schema.types.place_figure import PlaceFigure
from schema.types.supply import Supply
from tracker.domain.basics.values import Quantity
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity as CommodityKey
from tracker.domain.catalogue.commodities import descendants


@output_type(only_spelled=True, first="place reason")
class UncountedPlace:
    """A place without a counted figure in the share of a group."""

    of: strawberry.Private[groups.Uncounted]
    orders: strawberry.Private[Orders]

    place: Place = struct_field()
    figure: PlaceFigure | None = struct_field("share")
    """Its figure; null if not recorded."""


@output_type(
    only_spelled=True,
    first="members members_known share share_at_most complete value unit basis figures missing "
    "overlapping computed_from mixed_editions",
)
class GroupShare:
    """The share of a group of countries in the world's figure, each country counted once. Missing
    figures are listed and never counted as 0."""

    of: strawberry.Private[groups.GroupShare]
    spread: strawberry.Private[production.Distribution]
    orders: strawberry.Private[Orders]

    members: list[Place] = struct_field()
    value: Decimal | None = struct_field("number")
    """The sum of the counted figures; null if they cannot be added to the world's."""

    @made_field
    def unit(self) -> str | None:
        """The unit of the value, that of the world's claim."""
        return self._world.unit if self._world else None

    @made_field
    def basis(self) -> str | None:
        """The basis of the value."""
        return self._world.basis if self._world else None

    @property
    def _world(self) -> Quantity | None:
        world = self.spread.world
        return world.claim.quantity if world and self.of.number is not None else None

    figures: list[PlaceFigure] = struct_field("counted")
    """The counted figures, the largest shares first: of countries, or of a group of members if one of these
    has no figure. A group of all but some countries also includes `other countries`, if its edition names
    each excluded country. It then represents the members that only other editions name."""
    missing: list[UncountedPlace] = struct_field()
    overlapping: list[UncountedPlace] = struct_field()
    computed_from: list[Claim] = struct_field()


class AnswerContext(NamedTuple):
    """Data that the distributions of one response share."""

    orders: Orders
    moment: Moment
    supplies: Sequence[Known] | None = None
    """The supplies of its commodities and of those below them, if they are read."""


@output_type(first="hhi top_three_share top_three covered_share computed_from mixed_editions")
class Concentration:
    """The concentration of production or reserves, computed from the unrounded shares of countries
    (without the world, `other countries` and the EU).
    """

    of: strawberry.Private[production.Concentration]
    orders: strawberry.Private[Orders]

    top_three: list[Place] = struct_field()
    computed_from: list[Claim] = struct_field()


@output_type(first="value unit basis")
class Residual:
    """The world's preferred claim less all countries in its edition. It can be negative because the
    world's total is rounded."""

    of: strawberry.Private[production.Residual]
    orders: strawberry.Private[Orders]

    published: Claim | None = struct_field()
    included_places: list[Place] = struct_field()
    computed_from: list[Claim] = struct_field()


@output_type(
    first="method value unit basis published sum_of_places difference relative_difference "
    "not_summed computed_from mixed_editions"
)
class WorldTotal:
    """The world's total and its method. Shares are of the published total only."""

    of: strawberry.Private[totals.WorldTotal]
    orders: strawberry.Private[Orders]

    published: Claim | None = struct_field()
    not_summed: list[Place] = struct_field()
    computed_from: list[Claim] = struct_field()


@output_type(spread=production.Distribution, only_spelled=True)
class Distribution:
    """The world's production or reserves of one product of a commodity, by place."""

    spread: strawberry.Private[production.Distribution]
    answer: strawberry.Private[AnswerContext]
    commodity: Commodity = field(description="The commodity.")
    figures_of: Commodity | None = struct_field()
    statistic: Statistic = field(description="The statistic of the figures.")
    stage: Stage | None
    """The stage of the supply chain of the figures, as queried. Without a queried stage it is mining if
    there are figures for it in any year, else the only stage with figures. Null for reserves, and if none
    was queried and none is chosen: see `available`."""
    form: str | None
    """The product, if one stage has several, as queried. Without a queried form it is the product without a
    form if there are figures for it, else the only form. Null otherwise, and if none was queried and
    several are left: see `available`."""
    year: int | None = field(description="The year of the figures; null for reserves.")
    world: Claim | None = struct_field()
    figures: list[PlaceFigure] = struct_field("shares")
    """The figures of all other places: the largest shares first, then those without a share."""
    without_number: list[Place] = struct_field()
    not_comparable: list[PlaceFigure] = struct_field()
    concentration: Concentration | None = struct_field()
    residual: Residual | None = struct_field()

    @property
    def orders(self) -> Orders:
        """Return the orders of publishers at its moment."""
        return self.answer.orders

    @resolver_field
    def total(self) -> WorldTotal | None:
        """The world's total with its method, beside the sum of the places; null if nothing has a number."""
        total = totals.world_total(self.spread)
        return WorldTotal(of=total, orders=self.orders) if total else None

    @resolver_field
    async def share(self, info: Info, of: GroupInput) -> GroupShare | None:
        """The share of a group of countries, with the places that are not counted; null if its alliance
        does not exist at this moment.

        - of: The group of countries.
        """
        group = await find_group(info, of, self.answer.moment)
        if group is None:
            return None
        share = group_share(self.spread, group, self.answer.moment.valid_at)
        return GroupShare(of=share, spread=self.spread, orders=self.orders)

    @resolver_field
    async def available(self, info: Info) -> list[Supply]:
        """The products with figures of this statistic, of this commodity and of those below it: by stage
        and form, with their years."""
        supplies = info.context.services.as_of.supplies
        below = descendants(CommodityKey(self.commodity.key))
        known = self.answer.supplies or await supplies.of_commodities(below, self.answer.moment)
        return [
            Supply(of=one)
            for one in known
            if one.commodity in below
            and one.statistic is self.statistic
            and (one.figures_of == one.commodity or one.commodity == self.commodity.key)
        ]


def distribution(
    of_product: production.ProductYear, of: production.Distribution, answer: AnswerContext
) -> Distribution:
    """Return the GraphQL type of a distribution."""
    id, statistic, product, year = of_product
    return Distribution(
        spread=of,
        answer=answer,
        commodity=commodity(id),
        statistic=statistic,
        stage=product.stage,
        form=product.form,
        year=year,
    )
