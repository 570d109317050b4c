"""Checks of shipments at a moment."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from strawberry import argument

from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.input_types import input_type, to_plain_json
from schema.root.as_of.base import AtMoment
from schema.types.shipment import ShipmentCheck
from tracker.domain.codec import from_builtins
from tracker.domain.shipments.shipment import Shipment
from tracker.errors import TrackerError

SHIPMENT_INPUT = input_type(
    "ShipmentInput",
    Shipment,
    "A shipment. The goods are required, as a commodity, an HS code or both. A clause that depends on a"
    " field that is left out applies only possibly.",
)
ShipmentArgument: TypeAlias = Annotated[
    SHIPMENT_INPUT,  # type: ignore[valid-type]  # known at run time only
    argument(description="The goods, the way and the parties, as far as they are known."),
]


@object_type
class Shipments(AtMoment):
    """Checks of shipments at a moment."""

    @resolver_field
    async def shipment(self, info: Info, input: ShipmentArgument) -> ShipmentCheck:
        """What applies to a shipment: prohibitions, licences, quotas and duties, what would settle the
        possible ones, and what changes in the next 12 months. Information, not legal advice."""
        shipment = parse_shipment(input)
        checked = await info.context.services.as_of.shipments.check(shipment, self.moment)
        return ShipmentCheck(checked=checked, moment=self.moment)


def parse_shipment(input: Any) -> Shipment:
    """Parse the input of a check. Raises InvalidInput with the path of the field."""
    try:
        return from_builtins(Shipment, to_plain_json(input))
    except TrackerError as error:
        raise error.below("input") from None
