"""GraphQL types of obligations."""

import strawberry

from schema.base.context import Info
from schema.base.decorators import moment_field, resolver_field
from schema.base.output_types import output_type, struct_field
from schema.types.annex_text import WithQuotation
from schema.types.common import Because, Node, entity_type
from schema.types.links import linked_node
from tracker.domain.controls import obligation as domain


@output_type(first="status day not_before events phrase")
class NextDue:
    """The next due day of an obligation."""

    of: strawberry.Private[domain.NextDue]


@entity_type(
    domain.ObligationState,
    first="sentence issuer act unit roles who threshold verb object addressee commodities due every"
    " occasion continues until exemptions instrument because",
    described_by=(domain.Stated,),
)
class Obligation(Node, WithQuotation):
    """A duty that an act puts on firms or states: who must do what, and by when."""

    state: strawberry.Private[domain.ObligationState]
    key: str = struct_field(description="Its key, such as `eu-2024-1252-24-1`.")
    because: list[Because] = struct_field()

    def __post_init__(self) -> None:
        self.note_text, self.quotation_text = self.state.note, self.state.quotation

    @resolver_field
    async def instrument_entity(self, info: Info) -> Node | None:
        """The entity of `instrument` at this moment; in a history, its present state. Null without a
        recorded one. The status of its clauses tells whether the act applies."""
        of = self.state.instrument
        return await linked_node(info, of, self.moment) if of else None

    @moment_field
    def next_due(self) -> NextDue | None:
        """The next day on which it is due, from the effective date on. Null in a history."""
        if self.moment is None:
            return None
        return NextDue(of=domain.next_due(self.state, self.moment.valid_at))
