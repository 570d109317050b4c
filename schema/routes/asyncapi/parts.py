"""Words that all parts of the description are written with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Part = dict[str, Any]
"""An object of AsyncAPI, or a schema."""
POSITION: Part = {
    "type": "string",
    "pattern": "^[0-9]+$",
    "description": "A place in the log, as text, since it has 64 bits.",
}
TEXT: Part = {"type": "string"}


def reference(*path: str) -> Part:
    """What refers to a part of the description."""
    return {"$ref": "#/" + "/".join(path)}


def schema(name: str) -> Part:
    """What refers to a schema."""
    return reference("components", "schemas", name)


def object_of(properties: Mapping[str, Any], required: Iterable[str] = (), **more: Any) -> Part:
    """The schema of an object."""
    return {
        "type": "object",
        **more,
        **({"required": list(required)} if required else {}),
        "properties": dict(properties),
    }


def channel(messages: Iterable[str], servers: Iterable[str], **more: Any) -> Part:
    """A channel with messages that are among the components."""
    return {
        **more,
        "servers": [reference("servers", name) for name in servers],
        "messages": {name: reference("components", "messages", name) for name in messages},
    }


def operation(action: str, channel: str, messages: Iterable[str], **more: Any) -> Part:
    """An operation on messages of a channel; `send` is what the tracker does."""
    return {
        "action": action,
        "channel": reference("channels", channel),
        **more,
        "messages": _messages(channel, messages),
    }


def reply(channel: str, messages: Iterable[str]) -> Part:
    """The answer to the messages of an operation."""
    return {"channel": reference("channels", channel), "messages": _messages(channel, messages)}


def http(method: str, query: Part | None = None) -> Part:
    """The binding of an operation to HTTP."""
    binding: Part = {"method": method, "bindingVersion": "0.3.0"}
    return {"http": {**binding, **({"query": query} if query else {})}}


def _messages(channel: str, names: Iterable[str]) -> list[Part]:
    return [reference("channels", channel, "messages", name) for name in names]
