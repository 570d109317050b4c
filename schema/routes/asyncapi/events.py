"""`/events` as AsyncAPI has it."""

from __future__ import annotations

from schema.routes.asyncapi.event_schemas import TYPES
from schema.routes.asyncapi.parts import POSITION, TEXT, Part, channel, http, object_of, operation

CHANNEL = "events"
_QUERY = object_of(
    {
        "after": {
            **POSITION,
            "description": "The position to go on after; new events only if left out.",
        },
        "types": {**TEXT, "description": "Event types, separated by commas."},
        "commodity": {**TEXT, "description": "Commodities; those below them are included."},
        "place": {**TEXT, "description": "Places or alliances, such as `CN` or `quad`."},
        "entity": {**TEXT, "description": "One entity, such as `alliance/quad`."},
        "limit": {"type": "integer", "minimum": 1, "description": "End after so many events."},
        "follow": {"type": "boolean", "default": True, "description": "Whether new events follow."},
    }
)
CHANNELS: dict[str, Part] = {
    CHANNEL: channel(
        TYPES,
        ["tracker"],
        address="/events",
        title="The log",
        description="Every event after a position, in order, and then each new event when it is"
        " recorded. After a break come back with the last resume token seen, in `Last-Event-ID` or as"
        " `after`: no event is lost.",
    )
}
OPERATIONS: dict[str, Part] = {
    "sendServerSentEvents": operation(
        "send",
        CHANNEL,
        TYPES,
        summary="The log as server-sent events",
        description="With `Accept: text/event-stream`, or without `Accept`. The field `id` is the"
        " resume token (the position, a hyphen, and 16 digits of the hash of the entry), and"
        " `data` is the message in one line; a comment line every 15 seconds of silence.",
        bindings=http("GET", _QUERY),
    ),
    "sendLines": operation(
        "send",
        CHANNEL,
        TYPES,
        summary="The log as lines of JSON",
        description="With `Accept: application/x-ndjson`. A line is a message; an empty line every 15"
        " seconds of silence.",
        bindings=http("GET", _QUERY),
    ),
}
