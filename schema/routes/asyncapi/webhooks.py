"""Deliveries to endpoints (Standard Webhooks 1.0) as AsyncAPI has them."""

from __future__ import annotations

from schema.routes.asyncapi.event_schemas import EVENT
from schema.routes.asyncapi.parts import (
    POSITION,
    TEXT,
    Part,
    channel,
    http,
    object_of,
    operation,
    reply,
    schema,
)
from tracker.delivery.message import BATCH_MEDIA_TYPE, EVENT_MEDIA_TYPE

CHANNEL = "endpoint"
_ORIGIN: Part = {**TEXT, "description": "The name of this tracker: `TRACKER_DELIVERY_ORIGIN`."}
_SIGNED = object_of(
    {
        "webhook-request-origin": _ORIGIN,
        "webhook-id": {
            **TEXT,
            "description": "The same on every try. Of one event its id, with percent signs for what a"
            " header can't carry; of a batch the id of its first event, `~` and its last position.",
        },
        "webhook-timestamp": {
            "type": "string",
            "pattern": "^[0-9]+$",
            "description": "When this try was sent, in seconds since 1970.",
        },
        "webhook-signature": {
            "type": "string",
            "pattern": "^v1a?,[A-Za-z0-9+/]+=*( v1a?,[A-Za-z0-9+/]+=*)*$",
            "description": "Of id, timestamp and body, a signature for each key: `v1a` by Ed25519, `v1`"
            " by HMAC-SHA256. While a key is changed there are two.",
        },
    },
    ("webhook-id", "webhook-timestamp", "webhook-signature", "webhook-request-origin"),
)
MESSAGES: dict[str, Part] = {
    "Delivery": {
        "name": "Delivery",
        "title": "One event",
        "summary": "The next event of the endpoint's filter. Accepted with 2xx, else it comes again.",
        "contentType": EVENT_MEDIA_TYPE,
        "headers": _SIGNED,
        "payload": schema("DeliveredEvent"),
    },
    "BatchDelivery": {
        "name": "BatchDelivery",
        "title": "Several events",
        "summary": "The next events of the filter of an endpoint that takes several at a time.",
        "contentType": BATCH_MEDIA_TYPE,
        "headers": _SIGNED,
        "payload": {"type": "array", "minItems": 1, "items": schema("DeliveredEvent")},
    },
    "DeliveryAnswer": {
        "name": "DeliveryAnswer",
        "title": "What a receiver answers",
        "summary": "2xx accepts; 410 disables the endpoint; 429 and 503 may say when to come again.",
        "headers": object_of(
            {"retry-after": {**TEXT, "description": "Seconds, or a date of HTTP; a day at most."}}
        ),
        "payload": {"description": "Read up to 4 KiB, to be shown with the attempt."},
    },
    "Handshake": {
        "name": "Handshake",
        "title": "May we deliver?",
        "summary": "Asked before the first delivery (HTTP 1.1 Web Hooks for CloudEvents).",
        "headers": object_of({"webhook-request-origin": _ORIGIN}, ("webhook-request-origin",)),
    },
    "HandshakeAnswer": {
        "name": "HandshakeAnswer",
        "title": "Who may deliver",
        "summary": "A receiver that does not know the handshake answers without these, and is sent to.",
        "headers": object_of(
            {
                "webhook-allowed-origin": {**TEXT, "description": "The origin, or `*`."},
                "webhook-allowed-rate": {**TEXT, "description": "Requests a minute, or `*`."},
            }
        ),
    },
}
SCHEMAS: dict[str, Part] = {
    "DeliveredEvent": {
        "title": "DeliveredEvent",
        "description": "The entry of an event, with attributes at its end. Without them the bytes are"
        " those that were stored and hashed.",
        "allOf": [
            schema(EVENT),
            object_of(
                {
                    "previousposition": {
                        **POSITION,
                        "description": "The position of the event before it in the endpoint's filter:"
                        " between the two there is none. A receiver that has seen it has missed"
                        " nothing. Of the first, the position after which the endpoint begins.",
                    },
                    "proof": {
                        **TEXT,
                        "description": "Where the endpoint asks for it: that the entry is in the log, in"
                        " the form C2SP tlog-proof.",
                    },
                },
                ("previousposition",),
            ),
        ],
    }
}
CHANNELS: dict[str, Part] = {
    CHANNEL: channel(
        MESSAGES,
        ["receiver"],
        address=None,
        title="An endpoint",
        description="An address that somebody named (`tracker endpoint add`), and a cursor on the log"
        " that is its own. One request after the other, in the order of the log, the next only when"
        " the one before is accepted; at least once. Tries at 0 s, 5 s, 5 min, 30 min, 2 h, 5 h and"
        " 10 h, then every 12 h, until it is accepted or a person decides.",
    )
}
OPERATIONS: dict[str, Part] = {
    "askReceiver": operation(
        "send",
        CHANNEL,
        ["Handshake"],
        summary="Ask whether deliveries are wanted",
        bindings=http("OPTIONS"),
        reply=reply(CHANNEL, ["HandshakeAnswer"]),
    ),
    "deliver": operation(
        "send",
        CHANNEL,
        ["Delivery", "BatchDelivery"],
        summary="Deliver the next events",
        bindings=http("POST"),
        reply=reply(CHANNEL, ["DeliveryAnswer"]),
    ),
}
