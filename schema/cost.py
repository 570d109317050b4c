"""What a document may cost: the fields of its answer if every page that it asks for is full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    print_ast,
)

from schema.pages import PAGE_SIZE

PAGES = ("first", "last")
"""The arguments that say how large a page is."""


def cost(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> int:
    """The cost of the dearest operation of a valid document. Lists without pages count once."""
    costs = _Costs(schema, document, variables)
    return max((costs.operation(operation) for operation in document.definitions
                if isinstance(operation, OperationDefinitionNode)), default=0)


def has_variable_pages(document: DocumentNode) -> bool:
    """Whether the size of a page is in a variable, so that the cost is not the document's alone."""
    text = print_ast(document)
    return any(f"{name}: $" in text for name in PAGES)


class _Costs:
    """Adds up; a fragment is counted once, however often it is spread."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]
    ):
        self._schema = schema
        self._variables = variables
        self._fragments = {d.name.value: d for d in document.definitions
                           if isinstance(d, FragmentDefinitionNode)}
        self._known: dict[str, int] = {}

    def operation(self, operation: OperationDefinitionNode) -> int:
        """The cost of an operation."""
        defaults = {d.variable.name.value: int(d.default_value.value)
                    for d in operation.variable_definitions or ()
                    if isinstance(d.default_value, IntValueNode)}
        self._given = {**defaults, **self._variables}
        self._known.clear()
        return self._of(operation.selection_set, self._schema.get_root_type(operation.operation))

    def _of(self, selections: SelectionSetNode | None, parent: Any) -> int:
        total = 0
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                total += self._field(node, parent)
            elif isinstance(node, FragmentSpreadNode):
                total += self._fragment(node.name.value)
            else:
                assert isinstance(node, InlineFragmentNode)
                total += self._of(node.selection_set, self._narrowed(node.type_condition, parent))
        return total

    def _field(self, node: FieldNode, parent: Any) -> int:
        definition = getattr(parent, "fields", {}).get(node.name.value)
        if definition is None or not is_composite_type(get_named_type(definition.type)):
            return 1
        inside = self._of(node.selection_set, get_named_type(definition.type))
        return 1 + self._page(node, definition) * inside

    def _page(self, node: FieldNode, definition: GraphQLField) -> int:
        """How many items a field may have on a page; those that have no pages count once."""
        if PAGES[0] not in definition.args:
            return 1
        sizes: list[Any] = []
        for argument in node.arguments or ():
            if argument.name.value in PAGES and isinstance(argument.value, VariableNode):
                sizes.append(self._given.get(argument.value.name.value))
            elif argument.name.value in PAGES and isinstance(argument.value, IntValueNode):
                sizes.append(int(argument.value.value))
        return max((size for size in sizes if isinstance(size, int)), default=PAGE_SIZE) or 1

    def _fragment(self, name: str) -> int:
        if name not in self._known:
            fragment = self._fragments[name]
            self._known[name] = self._of(
                fragment.selection_set, self._narrowed(fragment.type_condition, None))
        return self._known[name]

    def _narrowed(self, condition: NamedTypeNode | None, parent: Any) -> Any:
        return self._schema.get_type(condition.name.value) if condition else parent
