"""Orders of publishers as GraphQL shows them."""

from __future__ import annotations

from schema.base.output_types import struct_field
from schema.types.common import Node, entity_type
from tracker.domain.preference import PreferenceState


@entity_type(PreferenceState, first="commodity statistic publishers reason event because")
class Preference(Node):
    """An order of preference between publishers. A judgement on a figure overrides it, and so does
    a more specific order.
    """

    key: str = struct_field(
        description="The figures that it is for, as a path: `all`, `rare_earths/reserves`."
    )
