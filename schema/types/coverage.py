"""Lists that were read, as GraphQL shows them."""

from __future__ import annotations

from strawberry import field

from projections.query.moment import Moment
from schema.base.decorators import object_type
from schema.base.memo import memoize_by_identity
from schema.types.common import (
    Actor,
    Because,
    Commodity,
    Node,
    actor,
    at_moment,
    because,
    commodity,
    from_state,
)
from schema.types.links import node_of
from tracker.domain.coverage import CoverageState
from tracker.domain.values import PartialDate
from tracker.domain.vocabulary import ActKind


@object_type
class CoverageStatement(Node):
    """A list of acts that was read, so that its acts are recorded. `completeness` of answers follows
    from these lists.
    """

    key: str = field(description="Its key, such as `cn-mofcom-entity-lists`.")
    entity: str = field(description="Its name in the log, `coverage/<key>`.")
    issuer: Actor = field(description="The issuer of the acts.")
    acts: ActKind = field(description="The kind of act.")
    name: str = field(description="The list that was read.")
    first: PartialDate | None = field(
        description="The first date covered; null if the list goes back to the first act of its kind."
    )
    last: PartialDate = field(description="The last date covered.")
    commodities: list[Commodity] = field(
        description="The commodities whose acts were read; empty for all."
    )
    left_out: list[str] = field(
        description="The acts of this kind and period that were not read, in sentences; empty if the"
        " list is complete."
    )
    firms_named: bool | None = field(
        description="Whether all listed firms are named; null for other lists than entity lists."
    )
    watched_source: str | None = field(
        description="The key of the watched source whose polls continue the list."
    )
    checked_by: str = field(description="Who read it.")
    declared_on: PartialDate = field(description="The day of its newest declaration.")
    withdrawn_on: PartialDate | None = field(
        description="The day from which it no longer counts; null while it does."
    )
    withdrawn_because: str | None = field(description="The reason; null while it counts.")
    because: list[Because] = field(
        description="The recorded events that this state follows from, in the order of the log."
    )


@node_of.register(CoverageState)
def coverage(state: CoverageState, moment: Moment | None) -> CoverageStatement:
    """Return the GraphQL type of a list that was read, at a moment; in a history it has none."""
    return at_moment(_content(state), moment)


@memoize_by_identity(lambda _: 1)
def _content(state: CoverageState) -> CoverageStatement:
    return from_state(
        CoverageStatement,
        state,
        key=state.id,
        entity=f"coverage/{state.id}",
        issuer=actor(state.issuer),
        commodities=[commodity(one) for one in state.commodities],
        left_out=list(state.left_out),
        later={"because": lambda: because(state.because)},
    )
