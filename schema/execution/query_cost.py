"""What a document may cost: the fields of its answer if every page that it asks for is full.

No field costs less than 1, whatever size of page stands in it or in a variable, and whether or not
it is included.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLDeferDirective,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    print_ast,
    value_from_ast_untyped,
)

from schema.base.errors import error_with_code
from schema.execution.introspection import ONE_TYPE, ROOTS, IntrospectionCost
from schema.inputs.pagination import DEFAULT_PAGE_SIZE
from schema.inputs.series import number_of_steps
from tracker.domain.announcement import MAX_REFERENCES

PAGE_ARGUMENTS = ("first", "last")
"""The arguments that say how large a page is."""
IDS = "ids"
"""The argument that says which items are asked for, one by one."""
LISTED = {"productions": ("commodities", "years"), "exposures": ("destinations",)}
"""Fields with an item for each of what these arguments list, years from one to another too."""
USUAL_LENGTHS = {
    "AsOf.clauseCounts": 100,
    "Candidate.commodities": 3,
    "Candidate.matches": 3,
    "Clause.because": 3,
    "Clause.statuses": 4,
    "AsOf.latestProductions": 100,
    "AsOf.supplies": 100,
    "AsOf.productsOf": 200,
    "AsOf.transitionDays": 400,
    "Distribution.figures": 20,
    "ExposureToward.supplies": 10,
    "GroupShare.figures": 10,
    "GroupShare.missing": 20,
}
"""About how many items lists without pages have: what a client cannot limit counts too."""
LINKS = frozenset({"aboutEntities", "conflictsWithEntities", "supersedesAnnouncements"})
"""Lists of the entities that an announcement names, up to `MAX_REFERENCES` in each."""
STEP = "step"
"""The argument of fields about many moments that says how far these are apart,"""
ENDS = ("from", "to")
"""and the times from and until which they are."""
MOMENTS_PER_ONE = 4
"""Moments of one field that count as much as one: they are read together, and what is the same at
several of them is made once."""
MAX_COUNTED_ITEMS = 1_000_000
"""Pages that are larger are refused anyway, and need not be multiplied by each other."""
JSON_COST = 10
"""What a field of JSON counts for: it has as many values inside, about."""
DEFER_COST = 20
"""What a fragment with `@defer` counts for: it is executed and sent apart from what is around it."""
MAX_COST = 50_000
"""Fields that an answer may have, every page that was asked for being full."""


def cost_errors(
    schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]
) -> list[GraphQLError]:
    """The error of a valid document that may have too large an answer."""
    got = cost(schema, document, variables)
    message = (
        f"expected an answer of at most {MAX_COST} fields, it may have {got}: ask for"
        " smaller pages, or for less at once"
    )
    return [error_with_code("TOO_COSTLY", message)] if got > MAX_COST else []


def cost(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> int:
    """The cost of the dearest operation of a valid document. Lists without pages count once, or by
    their usual length where it is known."""
    costs = _Costs(schema, document, variables)
    return max(
        (
            costs.operation(operation)
            for operation in document.definitions
            if isinstance(operation, OperationDefinitionNode)
        ),
        default=0,
    )


def has_variable_cost(document: DocumentNode) -> bool:
    """Whether the size of a page, the ids of items, or the type that is to be told of are in a
    variable, so that the cost is not the document's alone."""
    text = print_ast(document)
    return (
        any(f"{name}: $" in text for name in (*PAGE_ARGUMENTS, IDS, STEP, *ENDS))
        or (any(f"{name}(" in text for name in LISTED) and "$" in text)
        or f"{ONE_TYPE}(name: $" in text
    )


class _Costs:
    """Adds up; a fragment is counted once, however often it is spread."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]):
        self._schema = schema
        self._variables = variables
        self._fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        self._introspection = IntrospectionCost(schema, self._fragments, MAX_COST)
        self._known: dict[str, int] = {}

    def operation(self, operation: OperationDefinitionNode) -> int:
        """The cost of an operation."""
        defaults = {
            d.variable.name.value: _value(d.default_value)
            for d in operation.variable_definitions or ()
        }
        self._given = {**defaults, **self._variables}
        self._known.clear()
        return self._of(operation.selection_set, self._schema.get_root_type(operation.operation))

    def _of(self, selections: SelectionSetNode | None, parent: Any) -> int:
        total = 0
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                total += self._field(node, parent)
            elif isinstance(node, FragmentSpreadNode):
                total += _defer_cost(node) + self._fragment(node.name.value)
            else:
                assert isinstance(node, InlineFragmentNode)
                total += _defer_cost(node)
                total += self._of(node.selection_set, self._narrowed(node.type_condition, parent))
        return total

    def _field(self, node: FieldNode, parent: Any) -> int:
        if node.name.value in ROOTS:
            return self._introspection.of(node, self._given)
        definition = getattr(parent, "fields", {}).get(node.name.value)
        if definition is None or not is_composite_type(get_named_type(definition.type)):
            return JSON_COST if definition and get_named_type(definition.type).name == "JSON" else 1
        inside = self._of(node.selection_set, get_named_type(definition.type))
        usual = USUAL_LENGTHS.get(f"{parent.name}.{node.name.value}", 1)
        return 1 + usual * self._page(node, definition) * inside

    def _page(self, node: FieldNode, definition: GraphQLField) -> int:
        """How many items a field may have on a page; those that have no pages count once."""
        if IDS in definition.args:
            return self._ids(node)
        if STEP in definition.args:
            return self._moments(node, definition)
        if listed := LISTED.get(node.name.value):
            return prod(_length(self._given_to(node, name)) for name in listed)
        if node.name.value in LINKS:
            return MAX_REFERENCES
        if PAGE_ARGUMENTS[0] not in definition.args:
            return 1
        given = (
            self._argument(argument.value)
            for argument in node.arguments or ()
            if argument.name.value in PAGE_ARGUMENTS
        )
        return max(
            (_size(of) for of in given if isinstance(of, int | float)), default=DEFAULT_PAGE_SIZE
        )

    def _moments(self, node: FieldNode, definition: GraphQLField) -> int:
        """What the moments that a field asks about count for: by its step, else as many as it expects."""
        most = self._given_to(node, PAGE_ARGUMENTS[0])
        if not isinstance(most, int | float):
            most = definition.args[PAGE_ARGUMENTS[0]].default_value
        start, end, step = (self._given_to(node, name) for name in (*ENDS, STEP))
        if step is not None:
            most = min(most, number_of_steps(start, end, step))
        return -(-_size(most) // MOMENTS_PER_ONE)

    def _ids(self, node: FieldNode) -> int:
        """How many items are asked for by their ids."""
        for argument in node.arguments or ():
            given = (
                argument.value.values
                if isinstance(argument.value, ListValueNode)
                else self._argument(argument.value)
            )
            if argument.name.value == IDS and isinstance(given, list | tuple):
                return max(1, len(given))
        return 1

    def _given_to(self, node: FieldNode, name: str) -> Any:
        """What an argument of a field is given as plain data; None where it is left out."""
        values = (of.value for of in node.arguments or () if of.name.value == name)
        value = next(values, None)
        return None if value is None else value_from_ast_untyped(value, self._given)

    def _argument(self, value: ValueNode) -> Any:
        if isinstance(value, VariableNode):
            return self._given.get(value.name.value)
        return _value(value)

    def _fragment(self, name: str) -> int:
        if name not in self._known:
            fragment = self._fragments[name]
            self._known[name] = self._of(
                fragment.selection_set, self._narrowed(fragment.type_condition, None)
            )
        return self._known[name]

    def _narrowed(self, condition: NamedTypeNode | None, parent: Any) -> Any:
        return self._schema.get_type(condition.name.value) if condition else parent


def _defer_cost(node: FragmentSpreadNode | InlineFragmentNode) -> int:
    """What a fragment costs beside its fields."""
    names = (directive.name.value for directive in node.directives or ())
    return DEFER_COST if GraphQLDeferDirective.name in names else 0


def _length(given: Any) -> int:
    """How many items an argument lists, one at least; years from one to another count too."""
    if isinstance(given, dict):
        first, last = given.get("from"), given.get("to")
        return _size(last - first + 1) if isinstance(first, int) and isinstance(last, int) else 1
    return _size(len(given)) if isinstance(given, list) else 1


def _size(given: float) -> int:
    """How many items count for a page of the size that a client gave: one at least."""
    return int(min(given, MAX_COUNTED_ITEMS)) if given > 1 else 1


def _value(value: ValueNode | None) -> int | str | None:
    """A number or a text that stands in the document; None for anything else."""
    if isinstance(value, IntValueNode):
        return int(value.value)
    return value.value if isinstance(value, StringValueNode) else None
