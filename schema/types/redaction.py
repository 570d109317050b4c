"""GraphQL types of redactions of events."""

from schema.base.output_types import struct_field
from schema.types.common import Node, entity_type
from tracker.domain.entities.redaction import RedactionState


@entity_type(
    RedactionState, weight=lambda state: 1 + len(state.texts), first="event_id texts because"
)
class Redaction(Node):
    """The redacted texts of one event. The event and every proof about it remain."""

    key: str = struct_field(description="The position of the event.")
