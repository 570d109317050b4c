"""GraphQL types of lists of acts that were read."""

from schema.base.output_types import struct_field
from schema.types.common import Node, entity_type
from tracker.domain.evidence.coverage import CoverageState, Declared


@entity_type(
    CoverageState,
    first="issuer acts name first last commodities left_out firms_named watched_source checked_by"
    " declared_on withdrawn_on withdrawn_because",
    described_by=(Declared,),
)
class CoverageStatement(Node):
    """A list of acts that was read, so that its acts are recorded. `completeness` of responses follows
    from these lists."""

    key: str = struct_field(description="Its key, such as `cn-mofcom-entity-lists`.")
