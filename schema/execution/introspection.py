"""What introspection costs: the fields of its answer, counted in the schema that it tells of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    SchemaMetaFieldDef,
    SelectionSetNode,
    StringValueNode,
    TypeMetaFieldDef,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

WHOLE_SCHEMA, ONE_TYPE = "__schema", "__type"
ROOTS = {WHOLE_SCHEMA: SchemaMetaFieldDef, ONE_TYPE: TypeMetaFieldDef}
"""The fields under which the schema is told."""


class IntrospectionCost:
    """Counts the fields of introspection, up to a limit for all of a document: whoever is over it
    is refused, and counting takes as long as what is counted.
    """

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], most: int
    ):
        self._schema = schema
        self._info: Any = SimpleNamespace(schema=schema)
        self._fragments = fragments
        self._most = self._left = most

    def of(self, node: FieldNode, variables: Mapping[str, Any]) -> int:
        """The fields of the answer to `__schema` or `__type`, itself included; more than the limit
        once all that the document asks for is over it."""
        before = self._left
        source = self._schema if node.name.value == WHOLE_SCHEMA else self._type(node, variables)
        self._count(node, ROOTS[node.name.value].type, [source])
        return before - self._left if self._left >= 0 else self._most + 1

    def _type(self, node: FieldNode, variables: Mapping[str, Any]) -> Any:
        """The type that `__type` names; None where there is none."""
        [name] = [argument.value for argument in node.arguments or ()]
        if isinstance(name, VariableNode):
            given = variables.get(name.name.value)
            return self._schema.get_type(given) if isinstance(given, str) else None
        return self._schema.get_type(name.value) if isinstance(name, StringValueNode) else None

    def _count(self, node: FieldNode, kind: Any, values: Iterable[Any]) -> None:
        self._left -= 1
        named: Any = get_named_type(kind)
        if not is_composite_type(named):
            return
        selected = list(self._fields(node.selection_set))
        for value in values:
            for field in selected if value is not None else ():
                if self._left < 0:
                    return
                self._field(field, named, value)

    def _field(self, node: FieldNode, parent: Any, source: Any) -> None:
        definition = parent.fields.get(node.name.value)
        if definition is None or not is_composite_type(get_named_type(definition.type)):
            self._left -= 1  # __typename, or a value
            return
        deprecated = dict.fromkeys(definition.args, True)  # they are counted in any case
        found = definition.resolve(source, self._info, **deprecated)
        several = is_list_type(get_nullable_type(definition.type))
        self._count(node, definition.type, (found or ()) if several else [found])

    def _fields(self, selections: SelectionSetNode | None) -> Iterator[FieldNode]:
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, FragmentSpreadNode):
                yield from self._fields(self._fragments[node.name.value].selection_set)
            else:
                yield from self._fields(getattr(node, "selection_set", None))
