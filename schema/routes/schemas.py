"""`/schemas`: JSON Schemas of the data of all event types, made from the facts themselves.

The `dataschema` of an event is a name that outlives every address:
`urn:critical-minerals-policy-tracker:schema:ExportControl.Suspended:1`. Its last parts are the type
and the number of its schema; that schema is served at `/schemas/ExportControl.Suspended`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from schema.routes.reply import refusing, reply
from tracker.domain.kinds import FACTS
from tracker.errors import NotFound
from tracker.log.mapper import dataschema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Schemas:
    """Answers requests for schemas."""

    @refusing
    async def index(self, request: Request) -> Response:
        """All event types, with the name and the place of their schema."""
        return reply({type_: {"dataschema": dataschema(type_), "path": f"/schemas/{type_}"}
                      for type_ in FACTS})

    @refusing
    async def one(self, request: Request) -> Response:
        """The schema of one event type."""
        type_ = request.path_params["type"]
        if type_ not in FACTS:
            raise NotFound(f"{type_[:100]!r} is not an event type: /schemas has all of them",
                           path=("type",))
        return reply(json_schema(type_))


@cache
def json_schema(type_: str) -> dict[str, Any]:
    """The JSON Schema of an event type's data, with all that it refers to."""
    [top], parts = msgspec.json.schema_components(
        [FACTS[type_]], schema_hook=_word, ref_template="#/$defs/{name}")
    return {"$schema": DIALECT, "$id": dataschema(type_), **top,
            "$defs": {name: _portable(part) for name, part in parts.items()}}


def _word(kind: type) -> dict[str, Any]:
    """A word of a vocabulary, such as a place: text, of which the domain knows the rules."""
    return {"type": "string", "title": kind.__name__, "description": (kind.__doc__ or "").strip()}


def _portable(part: Any) -> Any:
    """A part of a schema in terms that all languages know: Python alone ends a pattern by `\\Z`."""
    match part:
        case dict():
            return {name: value.replace(r"\Z", "$") if name == "pattern" else _portable(value)
                    for name, value in part.items()}
        case list():
            return [_portable(item) for item in part]
    return part
