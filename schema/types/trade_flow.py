"""GraphQL types of trade flows."""

import strawberry

from projections.analysis import flow_parts as analysis
from schema.base.context import Info
from schema.base.decorators import resolver_field
from schema.base.output_types import made_field, output_type, shows, struct_field
from schema.base.scalars import Position
from schema.types.annex_text import WithQuotation
from schema.types.common import Because, Node, Quantity, Source, entity_type
from schema.types.completeness import Completeness, completeness, imports_scope
from schema.types.origins import Origins, shown_origins
from tracker.domain.basics.values import PartialDate
from tracker.domain.catalogue.hs_concordance import Concordance
from tracker.domain.entities.entity import Evidence
from tracker.domain.figures import trade_flow as domain


@output_type(first="commodities is_bundle exact hs22_codes reason", hidden="code")
class CodeGoods:
    """The goods of a code of HS 2017, as declared by this tracker. Commodities have codes of HS 2022."""

    of: strawberry.Private[Concordance]
    is_bundle: bool = struct_field()


@output_type(
    only_spelled=True,
    first="publisher edition edition_version published_on value quantity origins latest position"
    " event_id source because",
)
class TradeFlowClaim(WithQuotation):
    """One publisher's list of origins, in one edition. Later editions do not overwrite it. Values and
    weights give different shares, and origins are places of dispatch, which may be ports."""

    of: strawberry.Private[domain.FlowClaim]

    publisher: str = struct_field(description="The publisher's short id, such as `cepii`.")
    published_on: PartialDate = struct_field(description="The publication date of the edition.")
    edition: str = struct_field(description="The edition of the publication.")
    edition_version: str | None = struct_field(description="The version of the edition.")
    quantity: Quantity = struct_field()
    """The weight of all parts; `NOT_AVAILABLE` if a part has none."""
    latest: bool = struct_field(description="False after its publisher restated it.")
    position: Position = struct_field(description="The position of its event in the log.")
    event_id: str = struct_field(description="The id of its event, which `retractEvent` takes.")

    def __post_init__(self) -> None:
        self.note_text, self.quotation_text = self.of.note, self.of.quotation

    @made_field
    def origins(self) -> Origins:
        """The origins, each with the value and the weight of its part."""
        origins = shown_origins(self.of.origins)
        assert origins is not None  # each claim on a flow has some
        return origins

    @made_field
    def source(self) -> Source:
        """The source that publishes the list."""
        return Source(of=self.of.source)

    @made_field
    def because(self) -> list[Because]:
        """The event that recorded the claim, in a list for uniformity."""
        evidence: Evidence = self.of.because
        return [Because(of=evidence)]


@shows(domain.FlowClaim)
def flow_claim(of: domain.FlowClaim) -> TradeFlowClaim:
    """Return the GraphQL type of a claim on a trade flow."""
    return TradeFlowClaim(of=of)


@output_type(first="place quantity value quantity_percent value_percent")
class FlowPart:
    """One origin of a trade flow, with its part of the weight and of the value."""

    of: strawberry.Private[analysis.FlowPart]


@entity_type(
    domain.TradeFlowState,
    weight=lambda state: 1 + sum(len(claim.origins.parts) for claim in state.claims),
    first="hs_edition hs_code goods importer year preferred parts claims because",
)
class TradeFlow(Node):
    """The imports of a place under one code of the Harmonized System in one year, by origin. One code
    may have the goods of several commodities, so a flow is not a figure of a commodity."""

    state: strawberry.Private[domain.TradeFlowState]
    key: str = struct_field()
    """Edition, code, importer and year as a path: `hs17/811292/DE/2024`."""
    goods: CodeGoods | None = struct_field("concordance")
    preferred: TradeFlowClaim = struct_field()
    because: list[Because] = struct_field()

    @made_field
    def parts(self) -> list[FlowPart]:
        """The origins in the preferred claim, each with its shares of weight and value, then the part of
        places that it does not name."""
        return [FlowPart(of=part) for part in analysis.flow_parts(self.state.preferred)]

    @resolver_field
    async def completeness(self, info: Info) -> Completeness | None:
        """The completeness of the records of figures on the imports of this importer. Null in a history."""
        return await completeness(imports_scope(info, self.moment, self.state.importer))
