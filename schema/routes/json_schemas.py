"""`/schemas`: JSON Schemas of the data of all event types, made from the facts themselves.

The `dataschema` of an event is a permanent name:
`urn:critical-minerals-policy-tracker:schema:ExportControl.Suspended:2`. Its last parts are the type and the
number of its schema. That schema is served at `/schemas/ExportControl.Suspended/2`, and the present one
without the number.
"""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from schema.http.messages import errors_as_json, json_response
from tracker.domain.events.registry import FACTS
from tracker.errors import NotFound
from tracker.log import upcasting
from tracker.sources.readers.corpus_schema import is_commitment_schema, with_plain_texts

RETIRED_DIRECTORY = Path(__file__).with_name("retired_schemas")
"""Directory of schemas that present facts no longer produce: `TYPE.NUMBER.json`. See upcasting.py."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class JsonSchemaRoute:
    """Handler of requests for schemas."""

    @errors_as_json
    async def index(self, request: Request) -> Response:
        """Return all event types, with the name and the address of their schema."""
        return json_response(
            {
                type_: {
                    "dataschema": upcasting.schema_name(type_, present_number(type_)),
                    "path": f"/schemas/{type_}",
                }
                for type_ in FACTS
            }
        )

    @errors_as_json
    async def one(self, request: Request) -> Response:
        """Return the schema of one event type: the present one, or that of a number."""
        type_ = request.path_params["type"]
        if type_ not in FACTS:
            raise NotFound(
                f"{type_[:100]!r} is not an event type: /schemas has all of them", path=("type",)
            )
        number = request.path_params.get("number", present_number(type_))
        if not 1 <= number <= present_number(type_):
            raise NotFound(
                f"There is no schema {number} of {type_}: expected 1 to {present_number(type_)}",
                path=("number",),
            )
        return json_response(retired_schema(type_, number) or json_schema(type_, number))


def present_number(type_: str) -> int:
    """Return the number of the schema of new events of a type."""
    return upcasting.UPCASTERS.number(type_)


def retired_schema(type_: str, number: int) -> dict[str, Any] | None:
    """Return a stored schema of an earlier number, if there is one."""
    path = RETIRED_DIRECTORY / f"{type_}.{number}.json"
    schema: dict[str, Any] | None = (
        msgspec.json.decode(path.read_bytes()) if path.exists() else None
    )
    return schema


@cache
def json_schema(type_: str, number: int) -> dict[str, Any]:
    """Return the JSON Schema of an event type's data, with all schemas that it refers to.

    Data of number 1 has texts where that of number 2 has commitments, and no quotation.
    """
    [top], parts = msgspec.json.schema_components(
        [FACTS[type_]], schema_hook=_word_schema, ref_template="#/$defs/{name}"
    )
    parts = (
        with_plain_texts(parts)
        if number == 1
        else {n: _with_commitments(part) for n, part in parts.items()}
    )
    if number == 1:
        for part in parts.values():
            part.get("properties", {}).pop("quotation", None)
    return {
        "$schema": DIALECT,
        "$id": upcasting.schema_name(type_, number),
        **top,
        "$defs": {name: _portable(part) for name, part in parts.items()},
    }


def _with_commitments(part: Any) -> Any:
    """Return a part of a schema for recorded data: commitments replace texts."""
    match part:
        case {"anyOf": [*kinds]} if any(map(is_commitment_schema, kinds)):
            return {**part, "anyOf": [kind for kind in kinds if kind.get("type") != "string"]}
        case dict():
            return {name: _with_commitments(item) for name, item in part.items()}
    return part


def _word_schema(kind: type) -> dict[str, Any]:
    """Return the schema of a word of a vocabulary, such as a place: text with rules of the domain."""
    return {"type": "string", "title": kind.__name__, "description": (kind.__doc__ or "").strip()}


def _portable(part: Any) -> Any:
    r"""Return a part of a schema in terms of all languages: only Python ends a pattern by `\Z`."""
    match part:
        case dict():
            return {
                name: value.replace(r"\Z", "$") if name == "pattern" else _portable(value)
                for name, value in part.items()
            }
        case list():
            return [_portable(item) for item in part]
    return part
