"""Redactions as GraphQL shows them: what had to go of an event."""

from __future__ import annotations

from strawberry import field

from schema.base.decorators import object_type
from schema.types.common import Because, Node, RedactedText, because, from_state, redacted_text
from tracker.domain.redaction import RedactionState


@object_type
class Redaction(Node):
    """The redacted texts of one event. The event stays, and so does every proof about it."""

    key: str = field(description="The position of the event.")
    entity: str = field(description="Its name in the log, `redaction/<position>`.")
    event_id: str = field(description="The id of the event.")
    texts: list[RedactedText] = field(description="The redacted texts, with the reasons.")
    because: list[Because] = field(description="The events that recorded the redactions.")


def redaction(state: RedactionState) -> Redaction:
    """The GraphQL type of what had to go of an event."""
    return from_state(
        Redaction,
        state,
        key=state.id,
        entity=f"redaction/{state.id}",
        texts=[redacted_text(gone) for gone in state.texts],
        because=because(state.because),
    )
