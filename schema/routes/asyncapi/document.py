"""The description as a whole, and the route that serves it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import Response

from schema.http.messages import json_response
from schema.routes.asyncapi import broker, events, subscriptions, webhooks
from schema.routes.asyncapi.event_schemas import event_messages, event_schemas
from schema.routes.asyncapi.parts import Part, reference
from schema.tables.formats import LICENCE_URL

PRODUCT = "critical-minerals-policy-tracker"


async def answer_pushes(request: Request) -> Response:
    """`/asyncapi.json`."""
    return json_response(describe_pushes())


@cache
def describe_pushes() -> Part:
    """All that is pushed, from the side of the tracker: what it sends, others receive."""
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:{PRODUCT}",
        "info": {
            "title": "Critical-minerals policy tracker: what is pushed",
            "version": version(PRODUCT),
            "description": "Events as they are recorded: as a stream, as answers of GraphQL that"
            " change with them, delivered to endpoints, and on a broker.",
            "license": {"name": "Licence of the data", "url": LICENCE_URL},
        },
        "defaultContentType": "application/json",
        "servers": _SERVERS,
        "channels": _all(part.CHANNELS for part in _PARTS),
        "operations": _all(part.OPERATIONS for part in _PARTS),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "correlationIds": subscriptions.CORRELATION_IDS,
            "messages": {
                **event_messages(),
                **subscriptions.MESSAGES,
                **webhooks.MESSAGES,
                **broker.MESSAGES,
            },
            "schemas": {**event_schemas(), **subscriptions.SCHEMAS, **webhooks.SCHEMAS},
        },
    }


def _all(parts: Iterable[dict[str, Part]]) -> dict[str, Part]:
    return {name: each for part in parts for name, each in part.items()}


_PARTS = (events, subscriptions, webhooks, broker)
_HOST = {"host": {"default": "localhost:8000", "description": "Where this tracker is."}}
_TOKEN = [reference("components", "securitySchemes", "token")]
_SERVERS: dict[str, Part] = {
    "tracker": {
        "host": "{host}",
        "protocol": "https",
        "description": "This tracker. A token is needed where reading is not open.",
        "variables": _HOST,
        "security": _TOKEN,
    },
    "sockets": {
        "host": "{host}",
        "protocol": "wss",
        "description": "The same over a WebSocket.",
        "variables": _HOST,
        "security": _TOKEN,
    },
    "receiver": {
        "host": "{receiver}",
        "protocol": "https",
        "description": "The address of an endpoint.",
        "variables": {"receiver": {"default": "receiver.example.org"}},
    },
    "broker": {
        "host": "{broker}",
        "protocol": "nats",
        "description": "The broker of a relay: NATS with JetStream.",
        "variables": {"broker": {"default": "broker.example.org:4222"}},
    },
}
