"""GraphQL types of the dependence of places: yearly lines, lists of origins, imports under controls."""

from decimal import Decimal

import strawberry

from projections.analysis import import_exposure, origin_lists, yearly_lines
from projections.analysis.claims import Orders
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.output_types import made_field, output_type, struct_field
from schema.types.common import Commodity, Place, Quantity
from schema.types.completeness import AnswerScope, Completeness, answer_scope, completeness
from schema.types.exposure import AppliedClause, Requirement, requirements_of
from schema.types.figure import Claim, claims_of, referenced_claim
from schema.types.origins import Origin
from schema.types.trade_flow import TradeFlow
from tracker.domain.basics.control_vocabulary import Direction
from tracker.domain.catalogue.unions import unions_of
from tracker.domain.evidence.completeness import control_kinds
from tracker.domain.figures.trade_flow import TradeFlowState


@output_type(only_spelled=True, first="year basis_changed change change_unavailable_reason")
class LinePoint:
    """A year of a line with its claim."""

    of: strawberry.Private[yearly_lines.LinePoint]
    orders: strawberry.Private[Orders]

    @made_field
    def claim(self) -> Claim:
        """The publisher's latest claim for the year, or the one in the named edition. A net exporter has
        the qualifier `NET_EXPORTER` and no number."""
        return claims_of(self.of.figure, self.orders)[self.of.claim.position]

    @made_field
    def editions(self) -> list[Claim]:
        """All claims of the publisher for the year, the oldest first."""
        claims = claims_of(self.of.figure, self.orders)
        return [claims[one.position] for one in self.of.editions]


@output_type(first="commodity place statistic form publisher")
class YearlyLine:
    """The yearly figures of one publisher for a product. Do not compare different products."""

    of: strawberry.Private[yearly_lines.YearlyLine]
    orders: strawberry.Private[Orders]

    commodity: Commodity = struct_field()
    place: Place = struct_field()
    points: list[LinePoint] = struct_field()


@object_type
class YearlyLines:
    """Yearly lines, with the completeness of the records."""

    scope: strawberry.Private[AnswerScope | None]
    lines: list[YearlyLine]
    """The lines, by commodity and product. An empty list means that no claim is recorded, not that
    there are no imports."""

    @resolver_field
    async def completeness(self) -> Completeness | None:
        """The completeness of the records of figures."""
        return await completeness(self.scope)


@output_type(only_spelled=True, first="commodity form")
class OriginList:
    """A published list of the origins of a place's imports. Parts are of gross imports, and most lists are
    averages of several years. Never multiply a part by an import reliance."""

    of: strawberry.Private[origin_lists.OriginList]
    orders: strawberry.Private[Orders]

    commodity: Commodity = struct_field()
    importer: Place = struct_field()
    claim: Claim = struct_field("cited", description="The list as a claim, with its edition.")
    measured: str | None = struct_field("origins.measured")
    """The measure of the parts, such as `quantity` or `value`."""
    parts: list[Origin] = struct_field("origins.parts")
    """The named origins in the printed order."""
    unnamed: Quantity | None = struct_field("origins.unnamed")
    """The part of the places that the publisher does not name; null if it names all, and in a list of
    ranks."""


@object_type
class OriginLists:
    """Published lists of origins, with the completeness of the records."""

    scope: strawberry.Private[AnswerScope | None]
    lists: list[OriginList]
    """The newest list of each product and publisher, by commodity and product. Never add lists: some
    products contain others, and periods overlap."""

    @resolver_field
    async def completeness(self) -> Completeness | None:
        """The completeness of the records of figures."""
        return await completeness(self.scope)


@output_type(only_spelled=True, first="place status")
class PlaceUnderControl:
    """A place with its export clauses on a product toward the importer."""

    of: strawberry.Private[import_exposure.ControlledPlace]
    orders: strawberry.Private[Orders]
    moment: strawberry.Private[Moment]

    place: Place = struct_field()
    in_force: list[AppliedClause] = struct_field()
    beside: list[AppliedClause] = struct_field()

    @made_field
    def supply(self) -> Claim | None:
        """The figure of its production, for a place that the list does not name; null for others."""
        supply = self.of.supply
        return referenced_claim(supply, self.orders) if isinstance(supply, tuple) else None

    @made_field
    def supply_flow(self) -> TradeFlow | None:
        """The trade flow that shows its exports to the importer, if no figure of its production is
        recorded, for a place that the list does not name; null for others."""
        supply = self.of.supply
        return TradeFlow.at(supply, self.moment) if isinstance(supply, TradeFlowState) else None

    @resolver_field
    def requirements(self) -> list[Requirement]:
        """The clauses of `inForce`, with each licence once; see `ControllingPlace.requirements`."""
        return requirements_of(self.of.in_force, self.moment)

    @resolver_field
    async def completeness(self, info: Info) -> Completeness | None:
        """The completeness of the records of its export controls. A status of `NONE` means only that no
        clause is recorded, unless they are complete."""
        kinds = control_kinds(Direction.EXPORT)
        issuers = [self.of.place, *unions_of(self.of.place, self.moment.valid_at)]
        return await completeness(answer_scope(info, self.moment, kinds, issuers))


@output_type(
    only_spelled=True,
    first="place quantity includes least greatest controls controlled_since_figures",
)
class ListedOrigin:
    """An origin of a list with its export clauses toward the importer."""

    of: strawberry.Private[import_exposure.ListedOrigin]
    orders: strawberry.Private[Orders]
    moment: strawberry.Private[Moment]

    place: Place = struct_field("origin.place", description="The origin.")
    quantity: Quantity | None = struct_field("origin.quantity")
    """Its part as published."""
    includes: list[Place] = struct_field("origin.includes")
    """Further places that the publisher counts in it, such as Hong Kong in China. The controls are those of
    `place` only."""
    controls: PlaceUnderControl = struct_field()


@output_type()
class ImportMeasure:
    """The parts of a list under one kind of measure, each as if it were the only one. One origin can be
    under several: never add them."""

    of: strawberry.Private[import_exposure.MeasureImports]


@output_type(
    only_spelled=True,
    first="commodity form importer claim publisher edition first_year last_year measured "
    "figures_public_later unit whole certain assumed partly none unnamed remainder lower "
    "tight upper origins measures unnamed_suppliers controlling_without_supply "
    "controlled_since_figures limits",
)
class ImportExposure:
    """A list of origins with the export controls of its origins toward the importer. All numbers are in the
    unit of the list. Never multiply them by an import reliance: reliance is net, and origins are of gross
    imports."""

    of: strawberry.Private[import_exposure.ImportExposure]
    orders: strawberry.Private[Orders]
    moment: strawberry.Private[Moment]

    commodity: Commodity = struct_field("listed.commodity", description="The commodity.")
    form: str | None = struct_field("listed.form", description="The product, such as `metal`.")
    importer: Place = struct_field("listed.importer", description="The importing place.")
    claim: Claim | None = struct_field("listed.cited")
    """The published list; null if the list is made of trade flows."""

    @made_field
    def hs_code(self) -> str | None:
        """The code of HS 2017 of the trade flows; null for a published list."""
        code = self.of.listed.code
        return code.code if code else None

    @made_field
    def flows(self) -> list[TradeFlow]:
        """The trade flows that the list is made of: one, or those of the members of a union. Empty for a
        published list."""
        return [TradeFlow.at(one, self.moment) for one in self.of.listed.flows]

    publisher: str = struct_field("listed.publisher")
    """The publisher's short id, such as `usgs`."""
    edition: str = struct_field("listed.edition", description="The edition of the publication.")
    first_year: int = struct_field("listed.first_year", description="The first year of the list.")
    last_year: int = struct_field("listed.last_year", description="Its last year.")
    measured: str | None = struct_field("listed.origins.measured")
    """The measure of the parts, such as `quantity` or `value (FOB)`."""
    unit: str = struct_field("listed.quantity.unit")
    """The unit of all numbers: `percent`, a mass, or a currency."""
    whole: Decimal = struct_field("listed.whole")
    """The whole: 100 percent, or the amount of the imports."""
    certain: Decimal = struct_field("sums.certain")
    """The sum of the parts with the status `CERTAIN`."""
    assumed: Decimal = struct_field("sums.assumed")
    """The sum of the parts with the status `ASSUMED`."""
    partly: Decimal = struct_field("sums.partly")
    """The sum of the parts with the status `PARTLY`."""
    none: Decimal = struct_field("sums.none")
    """The sum of the parts with the status `NONE`."""
    unnamed: Decimal = struct_field("sums.unnamed")
    """The part of the places that the publisher does not name."""
    remainder: Decimal = struct_field("sums.remainder")
    """The whole less these five sums. It is not 0 if the publisher rounds, or if a part is an interval such
    as `<1`. It belongs to no status."""
    origins: list[ListedOrigin] = struct_field()
    measures: list[ImportMeasure] = struct_field()
    unnamed_suppliers: list[PlaceUnderControl] = struct_field()
    controlling_without_supply: list[PlaceUnderControl] = struct_field()

    @resolver_field
    async def completeness(self, info: Info) -> Completeness | None:
        """The completeness of the records of export controls on the commodity, of all issuers. The bounds
        hold for recorded clauses only."""
        kinds, goods = control_kinds(Direction.EXPORT), [self.of.listed.commodity]
        return await completeness(answer_scope(info, self.moment, kinds, commodities=goods))


@object_type
class ImportExposures:
    """Imports under export controls, one item per list of origins, with the completeness of the records of
    figures."""

    scope: strawberry.Private[AnswerScope | None]
    lists: list[ImportExposure]
    """The lists, by commodity and product. They are never combined or averaged."""

    @resolver_field
    async def completeness(self) -> Completeness | None:
        """The completeness of the records of figures. Without a list, imports are not known."""
        return await completeness(self.scope)
