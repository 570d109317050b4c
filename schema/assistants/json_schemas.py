"""JSON Schemas (2020-12) of tools, as short as possible, because a model reads them."""

from collections.abc import Mapping
from typing import Any

import msgspec

REF = "#/$defs/{name}"
NULL = {"type": "null"}


def json_schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the schema of a type.

    Definitions used once are inlined. Titles and defaults without information are removed, and null, which
    means the same as omission.
    """
    [root], defined = msgspec.json.schema_components([kind], ref_template=REF)
    parts = {name: _smaller(part) for name, part in defined.items()}
    name = root["$ref"].rpartition("/")[2]
    uses = _count_refs(parts, {})
    schema: dict[str, Any] = _inlined(parts[name], parts, uses)
    shared = {
        each: _inlined(part, parts, uses)
        for each, part in parts.items()
        if each != name and uses.get(each, 0) > 1 and "enum" not in part
    }
    return {**schema, "$defs": shared} if shared else schema


def _smaller(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_smaller(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    if schema.get("type") == "object" or "enum" in schema:
        schema = {name: value for name, value in schema.items() if name != "description"}
    smaller = {
        name: {each: _smaller(one) for each, one in value.items()}
        if name == "properties"
        else _smaller(value)
        for name, value in schema.items()
        if name != "title" and not (name == "default" and value in (None, [], False))
    }
    choices = [one for one in smaller.pop("anyOf", []) if one != NULL]
    if len(choices) == 1:
        return {**choices[0], **smaller}
    return {**smaller, "anyOf": choices} if choices else smaller


def _count_refs(schema: Any, uses: dict[str, int]) -> dict[str, int]:
    for one in schema.values() if isinstance(schema, Mapping) else schema:
        if isinstance(one, (Mapping, list)):
            _count_refs(one, uses)
    if isinstance(schema, Mapping) and "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        uses[name] = uses.get(name, 0) + 1
    return uses


def _inlined(schema: Any, parts: Mapping[str, Any], uses: Mapping[str, int]) -> Any:
    if isinstance(schema, list):
        return [_inlined(one, parts, uses) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name and (uses.get(name) == 1 or "enum" in parts[name]):
        rest = {each: value for each, value in schema.items() if each != "$ref"}
        return _inlined({**parts[name], **rest}, parts, uses)
    return {each: _inlined(value, parts, uses) for each, value in schema.items()}
