"""GraphQL types of imports and their receipts."""

import strawberry

from schema.base.output_types import made_field, output_type, struct_field
from schema.base.scalars import Day, Position
from schema.types.common import Node, entity_type
from tracker.domain.evidence import import_receipt as domain


@output_type(first="code")
class RefusalReason:
    """A reason for refusals, with the number of places."""

    of: strawberry.Private[domain.RefusalReason]


@output_type(first="line column text code")
class Remark:
    """A remark on one location in a file."""

    of: strawberry.Private[domain.Remark]


@entity_type(
    domain.ImportState,
    hidden="because",
    first="on reader reader_version file sha256 size encoding items counts reasons refused suspects"
    " events position",
)
class Import(Node):
    """A file that was imported: its receipt, recorded with its facts in one transaction."""

    key: str = struct_field(description="Its key; keys sort by time.")
    state: strawberry.Private[domain.ImportState]
    on: Day = struct_field()
    size: float = struct_field()

    @made_field
    def items(self) -> float:
        """The number of facts and refused places in the file."""
        return self.state.counts.items

    @made_field
    def position(self) -> Position:
        """The position of the receipt in the log."""
        return Position(str(self.state.because[0].position))
