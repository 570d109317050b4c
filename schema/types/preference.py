"""GraphQL types of orders of publishers."""

from schema.base.output_types import struct_field
from schema.types.common import Node, entity_type
from tracker.domain.figures.preference import PreferenceState


@entity_type(PreferenceState, first="commodity statistic publishers reason event because")
class Preference(Node):
    """An order of preference between publishers. A judgement on a figure and a more specific order
    override it."""

    key: str = struct_field()
    """The figures of the order, as a path: `all`, `rare_earths/reserves`."""
