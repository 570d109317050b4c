"""GraphQL types of tariffs."""

import strawberry

from schema.base.context import Info
from schema.base.decorators import resolver_field
from schema.base.output_types import struct_field
from schema.types.common import Because, Node, entity_type
from tracker.domain.figures import tariff as domain
from tracker.domain.figures.tariff_edition import TariffEditionState


@entity_type(TariffEditionState, first="place edition title printed_on sha256 chapters because")
class TariffEdition(Node):
    """An edition of a tariff schedule that was read: the record of the completeness of its lines."""

    because: list[Because] = struct_field()


@entity_type(
    domain.TariffLineState,
    weight=lambda state: 1 + len(state.suffixes),
    first="place code edition printed_on text texts general special column2 units suffixes"
    " printed_provisions footnotes retired_suffixes withdrawn withdrawn_in successors because",
    hidden="general_text special_text column2_text",
)
class TariffLine(Node):
    """A line of a tariff of 8 digits with its rates, as an edition prints it. Most additional duties are
    not printed at lines; `shipment` has those that are recorded."""

    state: strawberry.Private[domain.TariffLineState]
    because: list[Because] = struct_field()

    @resolver_field
    async def statement(self, info: Info) -> str | None:
        """The editions that prove the print on the effective date, in a sentence: `As printed on 8 June
        2026; no later edition was read.` Null in a history."""
        if self.moment is None:
            return None
        tariffs = info.context.services.as_of.tariffs
        [statement] = await tariffs.statements(self.state.code, [self.state], self.moment)
        return statement
