"""Schemas of events as they are sent, of the JSON Schemas of their data.

AsyncAPI has JSON Schema draft 07: what a schema refers to is put beside it, and has no `$id`, which
would be a new base for all that is below.
"""

from __future__ import annotations

from typing import Any

from schema.routes.asyncapi.parts import POSITION, TEXT, Part, object_of, schema
from schema.routes.json_schemas import json_schema, present_number
from tracker.delivery.message import EVENT_MEDIA_TYPE
from tracker.domain.registry import FACTS
from tracker.log import upcasting
from tracker.log.entries import SOURCE

OLDER = "OlderEvent"
"""Events whose data is of a number before the present one."""
EVENT = "Event"
"""Any event."""
TYPES: tuple[str, ...] = (*FACTS, OLDER)
"""The messages that are events."""
_DEFINITIONS = "#/$defs/"
_REQUIRED = (
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "subject",
    "data",
    "position",
    "version",
)


def event_schemas() -> dict[str, Part]:
    """All schemas of events: each type, its data, what its data has, and any event."""
    found: dict[str, Part] = {}
    for type_ in FACTS:
        found[type_] = _entry(type_)
        for name, part in _data_schemas(type_).items():
            if found.setdefault(name, part) != part:
                raise ValueError(f"{name} of {type_} is another one elsewhere")
    found[OLDER] = _older_entry()
    found[EVENT] = {
        "title": "Event",
        "description": "An event of the log, of any type.",
        "oneOf": list(map(schema, TYPES)),
    }
    return found


def event_messages() -> dict[str, Part]:
    """A message for each type of event."""
    said = {type_: found[_data(type_)] for found in [event_schemas()] for type_ in FACTS}
    return {
        **{
            type_: _message(type_, _first_sentence(part.get("description", type_)))
            for type_, part in said.items()
        },
        OLDER: _message(OLDER, "An event of any type whose data is of an earlier schema."),
    }


def _message(name: str, summary: str) -> Part:
    return {
        "name": name,
        "title": name,
        "summary": summary,
        "contentType": EVENT_MEDIA_TYPE,
        "payload": schema(name),
    }


def _first_sentence(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


def _entry(type_: str) -> Part:
    """The schema of an entry whose data is of the present number."""
    return _envelope(
        {
            "type": {"const": type_},
            "dataschema": {"const": _present_name(type_)},
            "data": schema(_data(type_)),
        },
        ("dataschema",),
        title=type_,
    )


def _older_entry() -> Part:
    return _envelope(
        {
            "type": {"enum": list(FACTS)},
            "dataschema": {"type": "string", "not": {"enum": list(map(_present_name, FACTS))}},
            "data": {"type": "object"},
        },
        title=OLDER,
        description="An event that was recorded when the data of its type had an earlier schema:"
        " `/schemas/` + type + `/` + the number at the end of `dataschema`.",
    )


def _envelope(of_type: dict[str, Any], required: tuple[str, ...] = (), **said: Any) -> Part:
    """The attributes of CloudEvents 1.0 that every entry has, and our extensions."""
    return object_of(
        {
            "specversion": {"const": "1.0"},
            "id": {
                **TEXT,
                "description": "Counts once: the same event has it wherever it is sent.",
            },
            "source": {"const": SOURCE},
            "time": {
                "type": "string",
                "format": "date-time",
                "description": "When it was recorded.",
            },
            "subject": {**TEXT, "description": "The entity that it is about."},
            "position": POSITION,
            "version": {
                "type": "integer",
                "minimum": 1,
                "description": "The place among the events of the entity.",
            },
            "actor": {**TEXT, "description": "Who recorded it; absent for an import of old."},
            **of_type,
        },
        (*_REQUIRED, *required),
        **said,
    )


def _data_schemas(type_: str) -> dict[str, Part]:
    """The schema of a type's data by the name that it has here, and those that it refers to."""
    described = json_schema(type_, present_number(type_))
    top = described["$ref"].removeprefix(_DEFINITIONS)
    names = {name: _data(type_) if name == top else name for name in described["$defs"]}
    return {names[name]: _referring(part, names) for name, part in described["$defs"].items()}


def _referring(part: Any, names: dict[str, str]) -> Any:
    """A part that refers to the components; what stands beside a reference counts for nothing."""
    match part:
        case {"$ref": str(place)}:
            return schema(names[place.removeprefix(_DEFINITIONS)])
        case dict():
            return {name: _referring(item, names) for name, item in part.items()}
        case list():
            return [_referring(item, names) for item in part]
    return part


def _data(type_: str) -> str:
    return f"{type_}.data"


def _present_name(type_: str) -> str:
    return upcasting.schema_name(type_, present_number(type_))
