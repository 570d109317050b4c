"""Redactions as GraphQL shows them: what had to go of an event."""

from __future__ import annotations

from strawberry import field

from projections.query.moment import Moment
from schema.base.decorators import object_type
from schema.base.memo import memoize_by_identity
from schema.types.common import (
    Because,
    Node,
    RedactedText,
    at_moment,
    because,
    from_state,
    redacted_text,
)
from schema.types.links import node_of
from tracker.domain.redaction import RedactionState


@object_type
class Redaction(Node):
    """The redacted texts of one event. The event stays, and so does every proof about it."""

    key: str = field(description="The position of the event.")
    entity: str = field(description="Its name in the log, `redaction/<position>`.")
    event_id: str = field(description="The id of the event.")
    texts: list[RedactedText] = field(description="The redacted texts, with the reasons.")
    because: list[Because] = field(description="The events that recorded the redactions.")


@node_of.register(RedactionState)
def redaction(state: RedactionState, moment: Moment | None) -> Redaction:
    """The GraphQL type of what had to go of an event at a moment; in a history it has none."""
    return at_moment(_content(state), moment)


@memoize_by_identity(lambda state: 1 + len(state.texts))
def _content(state: RedactionState) -> Redaction:
    return from_state(
        Redaction,
        state,
        key=state.id,
        entity=f"redaction/{state.id}",
        texts=[redacted_text(gone) for gone in state.texts],
        because=because(state.because),
    )
