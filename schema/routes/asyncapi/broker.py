"""Events on NATS JetStream (`tracker relay nats://…`) as AsyncAPI has them."""

from __future__ import annotations

from schema.routes.asyncapi.event_schemas import EVENT
from schema.routes.asyncapi.parts import POSITION, TEXT, Part, channel, object_of, operation, schema
from tracker.delivery.message import EVENT_MEDIA_TYPE
from tracker.domain.registry import FACTS

CHANNEL = "relayed"
MESSAGES: dict[str, Part] = {
    "RelayedEvent": {
        "name": "RelayedEvent",
        "title": "An event on a broker",
        "summary": "The entry, byte for byte; what belongs to the relay is in headers.",
        "contentType": EVENT_MEDIA_TYPE,
        "headers": object_of(
            {
                "Content-Type": {"const": EVENT_MEDIA_TYPE},
                "Nats-Msg-Id": {
                    **TEXT,
                    "description": "The id of the event: the broker keeps it once.",
                },
                "Tracker-Position": {**POSITION, "description": "The position of the event."},
                "Tracker-Previous-Position": {
                    **POSITION,
                    "description": "The position of the event before it in the relay's filter; of the"
                    " first, the position after which the relay began.",
                },
                "Tracker-Relay": {**TEXT, "description": "The name of the relay."},
            },
            (
                "Content-Type",
                "Nats-Msg-Id",
                "Tracker-Position",
                "Tracker-Previous-Position",
                "Tracker-Relay",
            ),
        ),
        "payload": schema(EVENT),
    }
}
CHANNELS: dict[str, Part] = {
    CHANNEL: channel(
        MESSAGES,
        ["broker"],
        address="{prefix}.{type}",
        title="The log on a broker",
        description="A stream of JetStream that nobody else publishes to, in the order of the log.",
        parameters={
            "prefix": {"default": "minerals", "description": "Chosen by who runs the relay."},
            "type": {"enum": list(FACTS), "description": "The type of the event, with its dot."},
        },
    )
}
OPERATIONS: dict[str, Part] = {
    "relay": operation(
        "send", CHANNEL, MESSAGES, summary="Publish each event to a broker, in order, at least once"
    )
}
