"""Checks of shipments at a moment."""

from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.shipment import ShipmentArgument, parse_shipment
from schema.root.as_of.base import AtMoment
from schema.types.shipment import ShipmentCheck


@object_type
class Shipments(AtMoment):
    """Checks of shipments at a moment."""

    @resolver_field
    async def shipment(self, info: Info, input: ShipmentArgument) -> ShipmentCheck:
        """The recorded rules for a shipment: prohibitions, licences, quotas and duties, the questions that
        decide possible rules, and the changes of the next 12 months. Information, not legal advice."""
        shipment = parse_shipment(input)
        checked = await info.context.services.as_of.shipments.check(shipment, self.moment)
        return ShipmentCheck(checked=checked, moment=self.moment)
