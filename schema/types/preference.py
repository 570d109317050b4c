"""Orders of publishers as GraphQL shows them."""

from __future__ import annotations

from strawberry import field

from projections.query.moment import Moment
from schema.base.decorators import object_type
from schema.base.memo import memoize_by_identity
from schema.types.common import (
    Because,
    Commodity,
    Node,
    at_moment,
    because,
    because_event,
    commodity,
    from_state,
)
from schema.types.links import node_of
from tracker.domain.preference import PreferenceState
from tracker.domain.vocabulary import Statistic


@object_type
class Preference(Node):
    """An order of preference between publishers. A judgement on a figure overrides it, and so does
    a more specific order.
    """

    key: str = field(
        description="The figures that it is for, as a path: `all`, `rare_earths/reserves`."
    )
    entity: str = field(description="Its name in the log, `preference/<key>`.")
    commodity: Commodity | None = field(
        description="Only for figures of this commodity and those below it; null: for all."
    )
    statistic: Statistic | None = field(
        description="Only for figures of this statistic; null: for all."
    )
    publishers: list[str] = field(
        description="The short ids of the publishers. The first one with a claim on a figure is"
        " preferred."
    )
    reason: str = field(description="Why.")
    event: Because = field(description="The event that recorded it.")
    because: list[Because] = field(
        description="The recorded events that this state follows from, in the order of the log."
    )


@node_of.register(PreferenceState)
def preference(state: PreferenceState, moment: Moment | None) -> Preference:
    """The GraphQL type of an order of publishers at a moment; in a history it has none."""
    return at_moment(_content(state), moment)


@memoize_by_identity(lambda _: 1)
def _content(state: PreferenceState) -> Preference:
    return from_state(
        Preference,
        state,
        key=state.id,
        entity=f"preference/{state.id}",
        commodity=commodity(state.commodity) if state.commodity else None,
        event=because_event(state.event),
        because=because(state.because),
    )
