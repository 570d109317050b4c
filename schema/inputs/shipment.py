"""The input of checks of shipments."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from strawberry import argument

from schema.inputs.arguments import check_hs_code
from schema.inputs.input_types import input_type, to_plain_json
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


def parse_shipment(input: Any) -> Shipment:
    """Parse the input of a check. Raises InvalidInput with the path of the field."""
    try:
        return to_shipment(to_plain_json(input))
    except TrackerError as error:
        raise error.below("input") from None


def to_shipment(data: dict[str, Any]) -> Shipment:
    """Return a shipment from plain JSON data. Raises InvalidInput with the path of the field."""
    code = data.get("hsCode")
    return from_builtins(Shipment, data if code is None else data | {"hsCode": check_hs_code(code)})
