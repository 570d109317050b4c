"""GraphQL types of exposure to export controls."""

from collections.abc import Sequence
from decimal import Decimal

import strawberry
from strawberry import field

from projections.analysis import applied_clause as applied_clauses
from projections.analysis import exposure as pure
from projections.analysis.claims import Orders
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.output_types import made_field, output_type, struct_field
from schema.types.clause import Clause, clause
from schema.types.common import Commodity, Place
from schema.types.completeness import Completeness, answer_scope, completeness
from schema.types.export_control import ExportControl
from schema.types.figure import Claim
from schema.types.place_figure import PlaceFigure
from tracker.domain.basics.control_vocabulary import Direction
from tracker.domain.evidence.completeness import control_kinds


@output_type(only_spelled=True, first="full reach match limits")
class AppliedClause:
    """A clause of an export control that covers a supply."""

    of: strawberry.Private[applied_clauses.AppliedClause]
    moment: strawberry.Private[Moment]

    @resolver_field
    def control(self) -> ExportControl:
        """The export control of the clause."""
        return ExportControl.at(self.of.control, self.moment)

    @resolver_field
    def clause(self) -> Clause:
        """The clause on this date, with its status."""
        return clause(self.of.clause, self.of.control, self.moment)


@object_type
class Requirement:
    """A clause in force on a supply, with the clauses that it rests on: one licence is one requirement."""

    clause: AppliedClause = field(description="The clause that names the goods.")
    legal_bases: list[AppliedClause]
    """The clauses of the same issuer that the requirement rests on, itself first. They are laws and lists
    on dual-use items that add no licence of their own."""


def requirements_of(
    in_force: Sequence[applied_clauses.AppliedClause], moment: Moment
) -> list[Requirement]:
    """Return the requirements of clauses in force."""
    return [
        Requirement(
            clause=AppliedClause(of=one.clause, moment=moment),
            legal_bases=[AppliedClause(of=basis, moment=moment) for basis in one.legal_bases],
        )
        for one in applied_clauses.requirements(in_force)
    ]


@output_type(first="place share figure confirmation")
class ControllingPlace:
    """A place that controls exports of a supply, with its share of the world's production."""

    orders: strawberry.Private[Orders]

    of: strawberry.Private[pure.ControllingPlace]
    moment: strawberry.Private[Moment]
    place: Place = struct_field()

    @made_field
    def share(self) -> Decimal | None:
        """Its share of the world's production as a fraction of 1, rounded to 4 decimal places; null if
        it is not known."""
        return self.of.share.share if self.of.share else None

    figure: PlaceFigure | None = struct_field("share")
    """The claim of the share; null without figures."""
    in_force: list[AppliedClause] = struct_field()
    suspended: list[AppliedClause] = struct_field()

    @resolver_field
    def requirements(self) -> list[Requirement]:
        """The clauses of `inForce`, with each licence once. The laws and lists that licences rest on are
        listed with these licences, not separately."""
        return requirements_of(self.of.in_force, self.moment)


@output_type(only_spelled=True, first="measure share")
class MeasureShare:
    """The share of the world's production under one measure."""

    of: strawberry.Private[pure.MeasureShares]

    assumed_share: Decimal = struct_field("assumed")
    """The part of `share` that is in force by its own terms, not confirmed."""
    contradicted_share: Decimal = struct_field("contradicted")
    """The part of `share` that a recorded statement contradicts."""


@output_type(
    first="commodity stage form year figures_of world controlled_share partly_controlled_share "
    "assumed_share contradicted_share as_recorded_share measures places computed_from mixed_editions"
)
class Exposure:
    """The world's production of one commodity at one stage in one year, with the share from places with
    export controls in force. Do not add up different supplies."""

    of: strawberry.Private[pure.Exposure]
    orders: strawberry.Private[Orders]

    commodity: Commodity = struct_field()
    moment: strawberry.Private[Moment]
    figures_of: Commodity | None = struct_field()

    @resolver_field
    async def completeness(self, info: Info) -> Completeness | None:
        """The completeness of the records of export controls on the commodity. A share is a lower bound
        unless they are complete.
        """
        kinds = control_kinds(Direction.EXPORT)
        goods = [self.of.commodity]
        return await completeness(answer_scope(info, self.moment, kinds, commodities=goods))

    world: Claim | None = struct_field()
    measures: list[MeasureShare] = struct_field()
    places: list[ControllingPlace] = struct_field()
    computed_from: list[Claim] = struct_field()


@object_type
class ExposureToward:
    """The exposure of the supplies to a destination."""

    destination: Place = field(description="The destination.")
    supplies: list[Exposure]
    """The supplies that export controls cover for this destination; see `exposure`."""
