"""Which answers can be kept: those that follow from the question, a position and a day alone.

Every field of `Query` stands in one of the two lists below; a test sees to it that none is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

CACHEABLE_FIELDS = frozenset(
    {
        "asOf",
        "changes",
        "commodities",
        "import",
        "imports",
        "node",
        "nodes",
        "over",
        "overKnown",
        "places",
    }
)
"""Their answers follow from their arguments, how far the projection has come, and the day (UTC)."""

UNCACHEABLE_FIELDS = frozenset(
    {
        "candidate",
        "candidateCounts",
        "candidateSources",
        "candidates",
        "checkpoint",
        "consistencyProof",
        "endpoint",
        "endpoints",
        "event",
        "events",
        "head",
        "history",
        "inclusionProof",
        "logKeys",
        "preview",
        "redactions",
    }
)
"""Their answers follow from more: from what is in the log before it is projected, or is signed; and
those about endpoints and candidates from what is beside the log, and from who asks."""

INTROSPECTION = frozenset({"__schema", "__type", "__typename"})
CONSTANT = frozenset({"commodities", "places", "__typename"})
AXES = frozenset({"validAt", "position"})
SERIES = frozenset({"from", "to", "position"})
"""The arguments of `over` that pin all of its moments."""
MOMENTS = {"asOf": (), "changes": ("from", "to")}
"""The fields where a moment is chosen, and which of their arguments have it; none: they are it."""

Roots = Mapping[str, tuple[FieldNode, ...]]
"""The fields that the queries of a document begin with, by the name of the query ('' without)."""


def roots(document: DocumentNode) -> Roots:
    """The fields that the queries of a valid document begin with."""
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    return {
        d.name.value if d.name else "": tuple(_fields(d.selection_set, fragments))
        for d in document.definitions
        if isinstance(d, OperationDefinitionNode) and d.operation is OperationType.QUERY
    }


def root_fields(
    document: DocumentNode, operation: OperationDefinitionNode
) -> tuple[FieldNode, ...]:
    """The fields that an operation of a valid document begins with."""
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    return tuple(_fields(operation.selection_set, fragments))


def _fields(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[FieldNode]:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, fragments)
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(fragments[node.name.value].selection_set, fragments)


def are_cacheable(fields: Iterable[FieldNode]) -> bool:
    """Whether an answer to these fields can be kept for as long as position and day are the same."""
    return all(field.name.value in CACHEABLE_FIELDS | INTROSPECTION for field in fields)


def are_pinned(fields: Iterable[FieldNode], variables: Mapping[str, Any]) -> bool:
    """Whether they choose every moment on both axes, so that their answer stays."""
    return all(_pinned(field, variables) for field in fields)


def _pinned(field: FieldNode, variables: Mapping[str, Any]) -> bool:
    name = field.name.value
    if name in CONSTANT:
        return True
    given = {argument.name.value: argument.value for argument in field.arguments or ()}
    if name == "over":
        return _all_given(SERIES, given, variables)
    if name not in MOMENTS:
        return False
    if not MOMENTS[name]:
        return _all_given(AXES, given, variables)
    return all(_both_in(given.get(argument), variables) for argument in MOMENTS[name])


def _both_in(value: ValueNode | None, variables: Mapping[str, Any]) -> bool:
    """Whether a moment that is one value says both."""
    if isinstance(value, VariableNode):
        moment = variables.get(value.name.value)
        return isinstance(moment, Mapping) and all(moment.get(axis) is not None for axis in AXES)
    if isinstance(value, ObjectValueNode):
        given = {part.name.value: part.value for part in value.fields}
        return _all_given(AXES, given, variables)
    return False


def _all_given(
    names: Iterable[str], given: Mapping[str, ValueNode], variables: Mapping[str, Any]
) -> bool:
    """Whether values of these names are given, and not null."""
    return all(_given(given.get(name), variables) for name in names)


def _given(value: ValueNode | None, variables: Mapping[str, Any]) -> bool:
    if isinstance(value, VariableNode):
        return variables.get(value.name.value) is not None
    return value is not None and not isinstance(value, NullValueNode)
