"""Parts of responses, whose fields follow from the documents of tools.

A fragment of a document has the fields of a part, under their names or aliases. An object with one field is
replaced by this field: `issuer { code }` is a text, `commodities { key }` a list of texts. Words of
vocabularies are in lower case, positions are numbers. Null, empty or false fields are left out. Fields that
a tool computes are declared beside the fragment with their types. `selected_fields` names lists and texts
that are present even if they are empty.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import graphql

from schema.execution.schema import CORE_SCHEMA
from schema.pages.site.own_document import WithDocument

NOTHING: tuple[Any, ...] = (None, "", [], False)
JSON_TYPES: Mapping[Any, str] = {
    **{str: "string", int: "integer", bool: "boolean"},
    **{"Int": "integer", "Position": "integer", "Float": "number", "Boolean": "boolean"},
}
"""Types of JSON Schema by those of Python and by scalars; all other scalars are strings."""


class Field(NamedTuple):
    """A field of a part: its JSON Schema, and the conversion of its value."""

    schema: Mapping[str, Any]
    read: Callable[[Any], Any]
    required: bool


@dataclass(frozen=True)
class Part(WithDocument):
    """A part of a response: a fragment in the document of a tool, and computed fields.

    The type of a computed field is `str`, `int`, `bool`, another part, or one of them in a list.
    """

    module: str
    fragment: str
    computed: Mapping[str, Any]
    selected_fields: str = ""
    shared: bool = False
    """Whether several fields share its schema below `$defs`."""

    def of(self, node: Mapping[str, Any], **computed: Any) -> dict[str, Any]:
        """Return the part for an object of a response, with the values of computed fields."""
        values = {name: field.read(node[name]) for name, field in self.fields.items()}
        values |= computed
        selected_fields = self.selected_fields.split()
        return {
            name: of for name, of in values.items() if of not in NOTHING or name in selected_fields
        }

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Return the fields of the fragment."""
        [fragment] = [
            each
            for each in graphql.parse(self.document).definitions
            if isinstance(each, graphql.FragmentDefinitionNode) and each.name.value == self.fragment
        ]
        return _fields(fragment, CORE_SCHEMA.type_map[fragment.type_condition.name.value])

    @cached_property
    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the part."""
        return _object_schema(self.fields, self.computed, self.selected_fields.split())


def json_schema_of(kind: Any) -> Mapping[str, Any]:
    """Return the JSON Schema of a computed field."""
    if isinstance(kind, list):
        return {"type": "array", "items": json_schema_of(kind[0])}
    if isinstance(kind, Part):
        return {"$ref": f"#/$defs/{kind.fragment}"} if kind.shared else kind.schema
    return {"type": JSON_TYPES[kind]}


def shared_schemas(kinds: Iterable[Any]) -> dict[str, Any]:
    """Return the JSON Schemas of the shared parts among computed fields, and in these."""
    schemas: dict[str, Any] = {}
    for each in kinds:
        kind = each[0] if isinstance(each, list) else each
        if isinstance(kind, Part):
            schemas |= {kind.fragment: kind.schema} if kind.shared else {}
            schemas |= shared_schemas(kind.computed.values())
    return schemas


def _object_schema(
    fields: Mapping[str, Field], computed: Mapping[str, Any], selected_fields: Iterable[str] = ()
) -> dict[str, Any]:
    properties = {name: field.schema for name, field in fields.items()}
    properties |= {name: json_schema_of(kind) for name, kind in computed.items()}
    required = [*(name for name, field in fields.items() if field.required), *selected_fields]
    return {"type": "object", "properties": properties, "required": required}


def _fields(node: Any, type_: Any) -> dict[str, Field]:
    """Return the selected fields of an object, by name or alias."""
    selected = [
        each for each in node.selection_set.selections if isinstance(each, graphql.FieldNode)
    ]
    return {
        (each.alias or each.name).value: _field(each, type_.fields[each.name.value].type)
        for each in selected
    }


def _field(node: graphql.FieldNode, type_: Any) -> Field:
    named = graphql.get_named_type(type_)
    if isinstance(named, graphql.GraphQLEnumType):
        one = Field({"type": "string"}, str.lower, True)
    elif isinstance(named, graphql.GraphQLScalarType):
        read = int if named.name == "Position" else _as_it_is
        one = Field({"type": JSON_TYPES.get(named.name, "string")}, read, named.name != "Boolean")
    else:
        one = _inner(_fields(node, named))
    if isinstance(graphql.get_nullable_type(type_), graphql.GraphQLList):
        schema = {"type": "array", "items": one.schema}
        return Field(schema, lambda values: [one.read(value) for value in values], False)
    is_required = one.required and graphql.is_non_null_type(type_)
    return Field(one.schema, lambda value: None if value is None else one.read(value), is_required)


def _inner(fields: Mapping[str, Field]) -> Field:
    """Return an object inside a part: its only field, or all of them."""
    if len(fields) == 1:
        [(name, only)] = fields.items()
        return only._replace(read=lambda value: only.read(value[name]))

    def read(value: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: field.read(value[name]) for name, field in fields.items()}
        return {name: of for name, of in values.items() if of not in NOTHING}

    return Field(_object_schema(fields, {}), read, True)


def _as_it_is(value: Any) -> Any:
    return value
