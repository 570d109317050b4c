"""GraphQL type of the record that supports a status."""

import strawberry

from schema.base.output_types import made_field, output_type, struct_field
from schema.base.scalars import Position
from tracker.domain.controls.confirmation import Ground


@output_type(of=Ground, first="kind on entity position url", hidden="in_part year")
class StatusGround:
    """A record that supports a status."""

    of: strawberry.Private[Ground]

    position: Position = struct_field()

    @made_field
    def complete(self) -> bool:
        """False for a reading of lists in part, which confirms only an entry into force on the date of its
        act."""
        return not self.of.in_part
