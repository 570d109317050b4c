"""Orders of publishers as GraphQL shows them."""

from __future__ import annotations

from strawberry import field

from schema.base.decorators import object_type
from schema.types.common import (
    Because,
    Commodity,
    Node,
    because,
    because_event,
    commodity,
    from_state,
)
from tracker.domain.preference import PreferenceState
from tracker.domain.vocabulary import Statistic


@object_type
class Preference(Node):
    """In which order to trust publishers. A judgement on a figure itself goes before it, and so
    does a more specific order.
    """

    key: str = field(description="What it is for, as a path: `all`, `rare_earths/reserves`.")
    entity: str = field(description="Its name in the log, `preference/<key>`.")
    commodity: Commodity | None = field(
        description="It is for figures of this one and all below it; null: of any."
    )
    statistic: Statistic | None = field(description="It is for figures that count this; null: any.")
    publishers: list[str] = field(
        description="Their short ids. The first of them that has a claim is preferred."
    )
    reason: str = field(description="Why.")
    event: Because = field(description="The event that said so.")
    because: list[Because] = field(description="The events that make it what it is on this day.")


def preference(state: PreferenceState) -> Preference:
    """An order of publishers as it is shown."""
    return from_state(
        Preference,
        state,
        key=state.id,
        entity=f"preference/{state.id}",
        commodity=commodity(state.commodity) if state.commodity else None,
        event=because_event(state.event),
        because=because(state.because),
    )
