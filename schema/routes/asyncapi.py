"""`/asyncapi.json`: all pushed messages as AsyncAPI 3.0, from the side of the tracker.

The schemas of events follow from the JSON Schemas of their data; the rest is in `asyncapi.toml`. AsyncAPI
uses JSON Schema draft 07: a referenced schema is a component and has no `$id`, which would change the base
of references.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from schema.http.rendered import fixed_response
from schema.routes.json_schemas import json_schema, present_number
from schema.tables.formats import LICENCE_URL
from tracker.delivery.message import EVENT_MEDIA_TYPE
from tracker.domain.basics.toml_files import read_toml
from tracker.domain.events.registry import FACTS
from tracker.log import upcasting

Part: TypeAlias = dict[str, Any]
"""An object of AsyncAPI, or a schema."""
PRODUCT = "critical-minerals-policy-tracker"
PARTS = read_toml(__file__)
OLDER = "OlderEvent"
"""Events whose data has an earlier schema."""
TYPES = (*FACTS, OLDER)
"""The messages that are events."""
DEFINITIONS = "#/$defs/"


async def answer_pushes(request: Request) -> Response:
    """Respond to `/asyncapi.json`."""
    return await fixed_response(request, describe_pushes)


@cache
def describe_pushes() -> Part:
    """Return the description."""
    schemas = event_schemas()
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:{PRODUCT}",
        "info": {
            **PARTS["info"],
            "version": version(PRODUCT),
            "license": {"name": "Licence of the data", "url": LICENCE_URL},
        },
        "defaultContentType": "application/json",
        "servers": PARTS["servers"],
        "channels": {name: _channel(**part) for name, part in PARTS["channels"].items()},
        "operations": {name: _operation(**part) for name, part in PARTS["operations"].items()},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "correlationIds": {
                "graphql": {
                    "location": "$message.payload#/id",
                    "description": "The operation of the client.",
                }
            },
            "messages": {
                **{type_: _event_message(type_, schemas) for type_ in TYPES},
                **{name: _protocol_message(name, **of) for name, of in PARTS["protocol"].items()},
                **{name: _message(name, **part) for name, part in PARTS["messages"].items()},
            },
            "schemas": {**schemas, **expand(PARTS["schemas"])},
        },
    }


def reference(*path: str) -> Part:
    """Return a reference to a part of the description."""
    return {"$ref": "#/" + "/".join(path)}


def expand(part: Any) -> Any:
    """Return a schema without short forms: `fields`, `position`, and a string for a text."""
    match part:
        case {"fields": dict(fields), **more}:
            required = [name[:-1] for name in fields if name.endswith("*")]
            return {
                "type": "object",
                **more,
                **({"required": required} if required else {}),
                "properties": {name.removesuffix("*"): _field(of) for name, of in fields.items()},
            }
        case {"position": str(description)}:
            return {"type": "string", "pattern": "^[0-9]+$", "description": description}
        case {"enum": "types", **more}:
            return {"enum": list(FACTS), **more}
        case dict():
            return {name: expand(of) for name, of in part.items()}
        case list():
            return list(map(expand, part))
    return part


def _field(part: Any) -> Part:
    return {"type": "string", "description": part} if isinstance(part, str) else expand(part)


def _channel(
    servers: Iterable[str], messages: Iterable[str] = TYPES, address: str | None = None, **more: Any
) -> Part:
    return {
        "address": address,
        **expand(more),
        "servers": [reference("servers", name) for name in servers],
        "messages": {name: reference("components", "messages", name) for name in messages},
    }


def _operation(
    channel: str,
    messages: Iterable[str] = TYPES,
    reply: Iterable[str] = (),
    http: str | None = None,
    **more: Any,
) -> Part:
    binding: Part = {"method": http, "bindingVersion": "0.3.0"}
    if http == "GET":
        binding["query"] = expand(PARTS["query"])
    sent, answered = ({**_messages(channel, names)} for names in (messages, reply))
    return {
        **more,
        **sent,
        **({"reply": answered} if reply else {}),
        **({"bindings": {"http": binding}} if http else {}),
    }


def _messages(channel: str, names: Iterable[str]) -> Part:
    return {
        "channel": reference("channels", channel),
        "messages": [reference("channels", channel, "messages", name) for name in names],
    }


def _message(name: str, headers: Any = None, **more: Any) -> Part:
    headers = PARTS["headers"][headers] if isinstance(headers, str) else headers
    return {"name": name, **expand(more), **({"headers": expand(headers)} if headers else {})}


def _protocol_message(name: str, type: str, summary: str, fields: Part) -> Part:
    """Return a message of graphql-transport-ws; one with an id belongs to an operation."""
    payload = expand({"fields": {"type*": {"const": type}, **fields}})
    graphql = reference("components", "correlationIds", "graphql")
    return {
        "name": name,
        "title": name,
        "summary": summary,
        "contentType": "application/json",
        **({"correlationId": graphql} if "id*" in fields else {}),
        "payload": {**payload, "additionalProperties": False},
    }


def _event_message(type_: str, schemas: Mapping[str, Part]) -> Part:
    about = schemas[type_ if type_ == OLDER else _data(type_)].get("description", type_)
    return {
        "name": type_,
        "title": type_,
        "summary": " ".join(about.split("\n\n")[0].split()),
        "contentType": EVENT_MEDIA_TYPE,
        "payload": reference("components", "schemas", type_),
    }


def event_schemas() -> dict[str, Part]:
    """Return the schemas of each type of event, of its data, of older events, and of any event."""
    schemas: dict[str, Part] = {}
    for type_ in FACTS:
        data = reference("components", "schemas", _data(type_))
        present = {"type*": {"const": type_}, "dataschema*": {"const": _name(type_)}}
        schemas[type_] = _event(type_, {**present, "data*": data})
        for name, part in _data_schemas(type_).items():
            if schemas.setdefault(name, part) != part:
                raise ValueError(f"{name} of {type_} is another one elsewhere")
    older = {"type": "string", "not": {"enum": list(map(_name, FACTS))}}
    schemas[OLDER] = _event(
        OLDER,
        {"type*": {"enum": list(FACTS)}, "dataschema": older, "data*": {"type": "object"}},
        description="An event whose data has an earlier schema: `/schemas/`, the type, `/` and the number"
        " at the end of `dataschema`.",
    )
    schemas["Event"] = {
        "title": "Event",
        "description": "An event of the log, of any type.",
        "oneOf": [reference("components", "schemas", type_) for type_ in TYPES],
    }
    return schemas


def _event(title: str, fields: Part, **more: Any) -> Part:
    """Return the schema of an entry: the envelope with fields of a type."""
    envelope = PARTS["envelope"]["fields"]
    schema: Part = expand({"title": title, **more, "fields": {**envelope, **fields}})
    return schema


def _data_schemas(type_: str) -> dict[str, Part]:
    """Return the schema of the data of a type, and the schemas that it refers to, by component."""
    described = json_schema(type_, present_number(type_))
    top = described["$ref"].removeprefix(DEFINITIONS)
    names = {name: _data(type_) if name == top else name for name in described["$defs"]}
    return {names[name]: _referring(part, names) for name, part in described["$defs"].items()}


def _referring(part: Any, names: Mapping[str, str]) -> Any:
    """Return a part with references to components. A reference has no other keys beside it."""
    match part:
        case {"$ref": str(place)}:
            return reference("components", "schemas", names[place.removeprefix(DEFINITIONS)])
        case dict():
            return {name: _referring(item, names) for name, item in part.items()}
        case list():
            return [_referring(item, names) for item in part]
    return part


def _data(type_: str) -> str:
    return f"{type_}.data"


def _name(type_: str) -> str:
    return upcasting.schema_name(type_, present_number(type_))
