"""Export controls as GraphQL shows them."""

from __future__ import annotations

from strawberry import field

from schema.base.decorators import object_type
from schema.types.clause import Clause, clause
from schema.types.common import (
    Because,
    Commodity,
    Node,
    Place,
    Source,
    because,
    commodity,
    from_state,
    place,
    source,
)
from tracker.domain.export_control import ExportControlState
from tracker.domain.values import PartialDate
from tracker.domain.vocabulary import Direction


@object_type
class Dispute:
    """Another source's different account of an instrument, shown beside the first and not merged."""

    account: str = field(description="The other source's account, in words.")
    source: Source = field(description="The other source.")
    commodities: list[Commodity] = field(description="The commodities that it is about.")
    judged: str | None = field(name="assessment", description="This tracker's assessment of it.")


@object_type
class ExportControl(Node):
    """An instrument that controls trade or production, with its clauses."""

    key: str = field(description="Its key, such as `cn-mofcom-2024-46`.")
    entity: str = field(description="Its name in the log, `export-control/<key>`.")
    issuer: Place = field(description="Who issued it.")
    direction: Direction = field(description="What it restricts: exports, imports or production.")
    title: str = field(description="Its title.")
    announced_on: PartialDate = field(description="When it was announced.")
    instrument: str | None = field(description="The legal act, as the issuer cites it.")
    official: bool = field(
        description="False for a measure that only others report and its issuer denies."
    )
    clauses: list[Clause] = field(description="Its clauses, in its order.")
    disputes: list[Dispute] = field(description="Different accounts of it by other sources.")
    because: list[Because] = field(
        description="The recorded events that this state follows from, in the order of the log."
    )


def export_control(state: ExportControlState) -> ExportControl:
    """An export control as it is shown."""
    return from_state(
        ExportControl,
        state,
        key=state.id,
        entity=f"export-control/{state.id}",
        issuer=place(state.issuer),
        later={
            "clauses": lambda: [clause(item) for item in state.clauses],
            "disputes": lambda: [
                from_state(
                    Dispute,
                    dispute,
                    source=source(dispute.source),
                    commodities=[commodity(id) for id in dispute.commodities],
                )
                for dispute in state.disputes
            ],
            "because": lambda: because(state.because),
        },
    )
