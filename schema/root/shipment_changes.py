"""The comparison of a shipment at two moments."""

from typing import Annotated

from strawberry import argument, field

from projections.analysis.shipment_changes import finding_changes
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.moment import MinPosition, MomentInput, resolve_range
from schema.inputs.shipment import ShipmentArgument, parse_shipment
from schema.root.scenarios import ScenarioKey
from schema.types.shipment import ShipmentCheck, ShipmentVerdict


@object_type
class ShipmentChange:
    """A rule for a shipment that differs between two moments."""

    before: ShipmentVerdict | None
    """The rule at the first moment; null if it did not apply."""
    after: ShipmentVerdict | None
    """The rule at the second moment; null if it no longer applies."""


@object_type
class ShipmentComparison:
    """The check of a shipment at two moments, with the rules that differ."""

    before: ShipmentCheck = field(description="The check at the first moment.")
    after: ShipmentCheck = field(description="The check at the second moment.")

    @resolver_field
    def changes(self) -> list[ShipmentChange]:
        """The rules that differ: those that apply at the second moment first."""
        changes = finding_changes(self.before.checked.findings, self.after.checked.findings)
        return [
            ShipmentChange(
                before=self.before.verdict(one.before) if one.before else None,
                after=self.after.verdict(one.after) if one.after else None,
            )
            for one in changes
        ]


@object_type
class ShipmentQueries:
    """Queries that compare shipments."""

    @resolver_field
    async def shipment_changes(
        self,
        info: Info,
        input: ShipmentArgument,
        start: Annotated[
            MomentInput,
            argument(
                name="from", description="The first moment. Omitted fields take the values of `to`."
            ),
        ],
        end: Annotated[
            MomentInput | None,
            argument(
                name="to",
                description="The second moment, by default today and the latest position.",
            ),
        ] = None,
        min_position: MinPosition = None,
        scenario: ScenarioKey = None,
    ) -> ShipmentComparison:
        """The differences between the checks of a shipment on two dates, or at two positions of the log. See
        `asOf { shipment }`."""
        shipment = parse_shipment(input)
        moments = await resolve_range(info, start, end, min_position)
        shipments = info.context.services.as_of.shipments
        before, after = [
            ShipmentCheck(checked=await shipments.check(shipment, moment), moment=moment)
            for moment in moments
        ]
        return ShipmentComparison(before=before, after=after)
