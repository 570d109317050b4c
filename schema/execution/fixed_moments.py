"""Moments that queries fix by their arguments, as docs/receipts.md states. Pure.

Defaults of variables count as their values: callers merge them (`with_defaults`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias

import graphql

from projections.query.steps import Step, days_by_step
from tracker.domain.basics.calendar_days import parse_day

CONSTANT = frozenset({"commodities", "places", "__typename"})
AXES = frozenset({"validAt", "position"})
SERIES = frozenset({"from", "to", "position"})
"""Arguments of `over` that fix all of its moments."""
TIMES = AXES | SERIES | {"step", "knownAt", "scenario"}
DIGITS = re.compile(r"[0-9]+")
CONDITIONS = frozenset({"skip", "include"})
Times: TypeAlias = Mapping[str, Any]
"""Arguments about time that are set, not null, as a client writes them."""


def root_nodes(
    document: graphql.DocumentNode, selected: graphql.SelectionSetNode
) -> Iterator[graphql.SelectionNode]:
    """Yield the selections of the root: fields and fragments, with those inside. Raises KeyError."""
    fragments = {
        each.name.value: each.selection_set
        for each in document.definitions
        if isinstance(each, graphql.FragmentDefinitionNode)
    }
    waiting, opened = [selected], set[str]()
    while waiting:
        for node in waiting.pop().selections:
            yield node
            if isinstance(node, graphql.InlineFragmentNode):
                waiting.append(node.selection_set)
            elif (
                isinstance(node, graphql.FragmentSpreadNode)
                and (name := node.name.value) not in opened
            ):
                opened.add(name)
                waiting.append(fragments[name])


def root_fields(
    document: graphql.DocumentNode, operation: graphql.OperationDefinitionNode
) -> tuple[graphql.FieldNode, ...]:
    """Return the root fields of an operation of a valid document."""
    nodes = root_nodes(document, operation.selection_set)
    return tuple(node for node in nodes if isinstance(node, graphql.FieldNode))


def with_defaults(
    operation: graphql.OperationDefinitionNode, variables: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return variables with the defaults of an operation for those that are left out."""
    defaults = {
        each.variable.name.value: graphql.value_from_ast_untyped(each.default_value)
        for each in operation.variable_definitions or ()
        if each.default_value is not None
    }
    return {**defaults, **variables} if defaults else variables


def are_pinned(fields: Iterable[graphql.FieldNode], variables: Mapping[str, Any]) -> bool:
    """Return whether all fields fix every moment on both axes, so that the response is immutable."""
    return all(is_pinned(field, variables) for field in fields)


def is_pinned(field: graphql.FieldNode, variables: Mapping[str, Any]) -> bool:
    """Return whether a root field fixes every moment on both axes, or is constant."""
    return field.name.value in CONSTANT or _ends(field, _times(field, variables)) is not None


def moments_of(
    nodes: Iterable[graphql.SelectionNode], variables: Mapping[str, Any]
) -> Sequence[tuple[date, int]] | None:
    """Return the moments of pinned selections in order; None if only the log has them.

    These are the days of `atTransitions`, and fields with conditions. Raises InvalidInput, ValueError and
    KeyError for values that are not dates, positions or steps.
    """
    moments = set[tuple[date, int]]()
    for node in nodes:
        if any(each.name.value in CONDITIONS for each in node.directives or ()):
            return None
        if not isinstance(node, graphql.FieldNode):
            continue
        times = _times(node, variables)
        ends = [(parse_day(str(day)), _position(at)) for day, at in _ends(node, times) or ()]
        if node.name.value == "over":
            if "step" not in times:
                return None
            (first, at), (last, _) = ends
            ends = [(day, at) for day in days_by_step(first, last, Step[str(times["step"])])]
        moments.update(ends)
    return sorted(moments)


def _ends(field: graphql.FieldNode, times: Times) -> Sequence[tuple[Any, Any]] | None:
    """Return date and position of the first and the last moment; None if they are not fixed, or of a
    scenario."""
    if "scenario" in times:
        return None
    match field.name.value:
        case "asOf":
            moments = [times]
        case "over":
            moments = [{"validAt": times.get(end), **times} for end in ("from", "to")]
            if not times.keys() >= SERIES:
                return None
        case "changes" | "shipmentChanges":
            since, to = _object(times.get("from")), _object(times.get("to"))
            moments = [{**to, **since}, to] if to.keys() >= AXES else [{}]
        case _:
            return None
    if any("knownAt" in moment or not moment.keys() >= AXES for moment in moments):
        return None
    return [(moment["validAt"], moment["position"]) for moment in moments]


def _position(value: Any) -> int:
    if not DIGITS.fullmatch(str(value)):
        raise ValueError(f"{value!r} is not a position")
    return int(value)


def _times(field: graphql.FieldNode, variables: Mapping[str, Any]) -> Times:
    return _object(
        {
            argument.name.value: graphql.value_from_ast_untyped(argument.value, {**variables})
            for argument in field.arguments or ()
            if argument.name.value in TIMES
        }
    )


def _object(value: Any) -> dict[str, Any]:
    """Return the members of an object that are set, not null; none for another value."""
    members = value.items() if isinstance(value, Mapping) else ()
    return {
        name: part for name, part in members if part is not None and part is not graphql.Undefined
    }
