"""Subscriptions over a WebSocket (graphql-transport-ws) as AsyncAPI has them.

What an answer holds is chosen by the document of the client: for that `/schema.graphql` is the
description.
"""

from __future__ import annotations

from typing import Any

from schema.routes.asyncapi.parts import (
    TEXT,
    Part,
    channel,
    object_of,
    operation,
    reference,
    reply,
    schema,
)

CHANNEL = "graphql"
PROTOCOL = "graphql-transport-ws"
_ANY: Part = {"type": "object"}
_ID: Part = {"type": "string", "minLength": 1, "description": "Chosen by the client."}
_ERRORS: Part = {"type": "array", "minItems": 1, "items": schema("GraphQLError")}


def _message(name: str, type_: str, summary: str, *required: str, **properties: Any) -> Part:
    """A message of the protocol; one with an id belongs to an operation."""
    payload = object_of({"type": {"const": type_}, **properties}, ("type", *required))
    return {
        "name": name,
        "title": name,
        "summary": summary,
        "contentType": "application/json",
        **(
            {"correlationId": reference("components", "correlationIds", "graphql")}
            if required
            else {}
        ),
        "payload": {**payload, "additionalProperties": False},
    }


MESSAGES: dict[str, Part] = {
    "ConnectionInit": _message(
        "ConnectionInit",
        "connection_init",
        "The first message: `Authorization` may stand in its payload.",
        payload=object_of({"Authorization": TEXT}),
    ),
    "ConnectionAck": _message(
        "ConnectionAck", "connection_ack", "The client may subscribe.", payload=_ANY
    ),
    "Subscribe": _message(
        "Subscribe",
        "subscribe",
        "Begin an operation: `subscription { events … }` or `subscription { worldChanged … }`.",
        "id",
        "payload",
        id=_ID,
        payload=object_of(
            {
                "query": TEXT,
                "documentId": TEXT,
                "operationName": {"type": ["string", "null"]},
                "variables": {"type": ["object", "null"]},
                "extensions": {"type": ["object", "null"]},
            },
            anyOf=[{"required": ["query"]}, {"required": ["documentId"]}],
        ),
    ),
    "Next": _message(
        "Next",
        "next",
        "An answer: an event, or the present state.",
        "id",
        "payload",
        id=_ID,
        payload=object_of(
            {"data": {"type": ["object", "null"]}, "errors": _ERRORS, "extensions": _ANY}, ("data",)
        ),
    ),
    "Error": _message(
        "Error",
        "error",
        "The operation is refused, and over.",
        "id",
        "payload",
        id=_ID,
        payload=_ERRORS,
    ),
    "Complete": _message(
        "Complete", "complete", "The operation is over; a client ends it so too.", "id", id=_ID
    ),
    "Ping": _message("Ping", "ping", "To be answered by a pong.", payload=_ANY),
    "Pong": _message("Pong", "pong", "The answer to a ping.", payload=_ANY),
}
SCHEMAS: dict[str, Part] = {
    "GraphQLError": object_of(
        {
            "message": TEXT,
            "path": {"type": "array", "items": {"type": ["string", "integer"]}},
            "locations": {"type": "array", "items": _ANY},
            "extensions": object_of({"code": TEXT}),
        },
        ("message",),
        title="GraphQLError",
    )
}
CORRELATION_IDS: dict[str, Part] = {
    "graphql": {"location": "$message.payload#/id", "description": "The operation of the client."}
}
CHANNELS: dict[str, Part] = {
    CHANNEL: channel(
        MESSAGES,
        ["sockets"],
        address="/graphql",
        title="GraphQL subscriptions",
        description="Operations of GraphQL over a WebSocket, by the protocol graphql-transport-ws. The"
        " data of an answer is what the client's document asks for of `/schema.graphql`.",
        externalDocs={"url": "https://github.com/graphql/graphql-over-http"},
        bindings={
            "ws": {
                "method": "GET",
                "headers": object_of(
                    {"Sec-WebSocket-Protocol": {"const": PROTOCOL}}, ("Sec-WebSocket-Protocol",)
                ),
                "bindingVersion": "0.1.0",
            }
        },
    )
}
OPERATIONS: dict[str, Part] = {
    "beginConnection": operation(
        "receive",
        CHANNEL,
        ["ConnectionInit"],
        summary="Let a client in",
        reply=reply(CHANNEL, ["ConnectionAck"]),
    ),
    "subscribe": operation(
        "receive",
        CHANNEL,
        ["Subscribe"],
        summary="Answer a subscription, again and again",
        reply=reply(CHANNEL, ["Next", "Error", "Complete"]),
    ),
    "endSubscription": operation(
        "receive", CHANNEL, ["Complete"], summary="End a subscription that the client gives up"
    ),
    "answerPing": operation(
        "receive",
        CHANNEL,
        ["Ping"],
        summary="Say that the connection lives",
        reply=reply(CHANNEL, ["Pong"]),
    ),
}
